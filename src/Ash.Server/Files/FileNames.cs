namespace Ash.Server.Files;

/// <summary>What the contract says of files by their names (3.5).</summary>
internal static class FileNames
{
    private const string Other = "application/octet-stream";

    private static readonly HashSet<string> NeverListed = ["node_modules", ".git", "__pycache__", ".DS_Store"];

    private static readonly HashSet<string> Hidden = [".cache", ".npm", ".pnpm-store", ".yarn", ".venv", "venv", ".tmp", "tmp"];

    private static readonly string[] NeverListedEndings = [".sock", ".lock", ".pid"];

    private static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["html"] = "text/html",
        ["htm"] = "text/html",
        ["css"] = "text/css",
        ["js"] = "application/javascript",
        ["mjs"] = "application/javascript",
        ["json"] = "application/json",
        ["xml"] = "application/xml",
        ["csv"] = "text/csv",
        ["txt"] = "text/plain",
        ["toml"] = "text/plain",
        ["md"] = "text/markdown",
        ["yaml"] = "text/yaml",
        ["yml"] = "text/yaml",
        ["ts"] = "text/typescript",
        ["tsx"] = "text/typescript",
        ["jsx"] = "text/javascript",
        ["py"] = "text/x-python",
        ["rb"] = "text/x-ruby",
        ["rs"] = "text/x-rust",
        ["go"] = "text/x-go",
        ["java"] = "text/x-java",
        ["c"] = "text/x-c",
        ["h"] = "text/x-c",
        ["cpp"] = "text/x-c++",
        ["sh"] = "text/x-shellscript",
        ["bash"] = "text/x-shellscript",
        ["zsh"] = "text/x-shellscript",
        ["sql"] = "text/x-sql",
        ["svg"] = "image/svg+xml",
        ["png"] = "image/png",
        ["jpg"] = "image/jpeg",
        ["jpeg"] = "image/jpeg",
        ["gif"] = "image/gif",
        ["webp"] = "image/webp",
        ["ico"] = "image/x-icon",
        ["pdf"] = "application/pdf",
        ["zip"] = "application/zip",
        ["gz"] = "application/gzip",
        ["tar"] = "application/x-tar",
        ["wasm"] = "application/wasm",
        ["mp4"] = "video/mp4",
        ["webm"] = "video/webm",
        ["mp3"] = "audio/mpeg",
        ["wav"] = "audio/wav",
        ["woff"] = "font/woff",
        ["woff2"] = "font/woff2",
        ["ttf"] = "font/ttf",
        ["otf"] = "font/otf",
    };

    /// <summary>Which names a listing shows; what is below one that it does not show is not shown either.</summary>
    public static Func<string, string, bool> IsListed(bool includesHidden) => (_, name) =>
        !NeverListed.Contains(name)
        && !Array.Exists(NeverListedEndings, ending => name.EndsWith(ending, StringComparison.Ordinal))
        && (includesHidden || !Hidden.Contains(name));

    /// <summary>The media type that a file is sent as.</summary>
    public static string TypeOf(string path) => Types.GetValueOrDefault(Path.GetExtension(path).TrimStart('.'), Other);
}
