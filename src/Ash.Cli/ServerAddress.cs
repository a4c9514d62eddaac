namespace Ash.Cli;

/// <summary>URLs of servers, as people write them.</summary>
internal static class ServerAddress
{
    public const string Default = "http://localhost:4100";
    public const int DefaultPort = 4100;

    public static Uri Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")
            ? url
            : throw new CliException($"Not a server's URL: \"{text}\" — expected http://HOST:PORT or https://HOST", ExitCodes.Usage);

    public static string Show(Uri url) => url.AbsoluteUri.TrimEnd('/');

    public static Uri OfPort(int port) => new($"http://localhost:{port}");
}
