using System.Text;
using System.Text.Json;
using Ash.Protocol.Launch;
using Ash.Runner.Bubblewrap;

namespace Ash.Runner.Sandboxes;

/// <summary>The private folder of one start: what the launcher reads, and what it and bubblewrap say.</summary>
internal sealed class SandboxLaunch
{
    private const int QuotedBytes = 4096;

    /// <summary>Where the launcher stages its binds: bubblewrap's sources when it runs as a user who may open little else.</summary>
    private const string Stage = "/mnt";

    private readonly string _folder;

    private SandboxLaunch(string folder) => _folder = folder;

    public string SpecFile => Path.Combine(_folder, "launch.json");

    /// <summary>What the launcher says before it opens <see cref="LogFile"/>.</summary>
    public string OutputFile => Path.Combine(_folder, "output");

    private string LogFile => Path.Combine(_folder, "log");

    private string ArgumentsFile => Path.Combine(_folder, "arguments");

    private string InfoFile => Path.Combine(_folder, "info.json");

    public static SandboxLaunch Write(
        string folder, SandboxSpec spec, SandboxSources sources, IReadOnlyList<string> cgroupFiles, bool dropsUser)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var launch = new SandboxLaunch(folder);

        List<StagedBind> binds = [];
        string Source(string path, string name, bool readOnly = true)
        {
            if (!dropsUser)
            {
                return path;
            }

            binds.Add(new StagedBind(path, name, readOnly));
            return $"{Stage}/{name}";
        }

        var profile = new SandboxProfile
        {
            Root = sources.Root,
            Limits = spec.Limits,
            Etc = Source(sources.Etc, "etc"),
            Workspace = Source(spec.WorkspacePath, "workspace", readOnly: false),
            Home = Source(spec.HomePath, "home", readOnly: false),
            Run = Source(sources.Run, "run"),
            Cli = Source(sources.Cli, "claude"),
            Bridge = Source(sources.Bridge, "ash-bridge"),
            Content = sources.Content is { } content
                ? new AgentContent(
                    Source(content.Instructions, "CLAUDE.md"),
                    Source(content.Settings, ".claude"),
                    Source(content.McpServers, ".mcp.json"))
                : null,
        };
        var arguments = BubblewrapArguments.Of(profile).SelectMany(option => option);
        File.WriteAllBytes(launch.ArgumentsFile, Encoding.UTF8.GetBytes(string.Concat(arguments.Select(argument => argument + '\0'))));

        var launchSpec = new LaunchSpec
        {
            Uid = dropsUser ? spec.Uid : null,
            CgroupFiles = cgroupFiles,
            Binds = binds,
            Bubblewrap = sources.Bubblewrap,
            ArgumentsFile = launch.ArgumentsFile,
            SeccompFile = sources.SeccompFile,
            InfoFile = launch.InfoFile,
            LogFile = launch.LogFile,
            Command =
            [
                SandboxPaths.Bridge, "run", "--orphan-timeout",
                ((long)Math.Ceiling(spec.OrphanTimeout.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture),
            ],
        };
        File.WriteAllBytes(launch.SpecFile, JsonSerializer.SerializeToUtf8Bytes(launchSpec, LaunchJson.Default.LaunchSpec));
        return launch;
    }

    /// <summary>The bridge's host pid; null before bubblewrap has written it, which it does before the bridge exists.</summary>
    public int? ReadBridgePid()
    {
        try
        {
            using var info = JsonDocument.Parse(File.ReadAllBytes(InfoFile));
            return info.RootElement.GetProperty("child-pid").GetInt32();
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The end of what launcher and bubblewrap have said, for an error message.</summary>
    public string ReadComplaint()
    {
        var text = string.Concat(ReadEnd(OutputFile), ReadEnd(LogFile)).Trim();
        return string.Concat(text.Select(character => char.IsControl(character) && character != '\n' ? ' ' : character));
    }

    public void Remove()
    {
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    private static string ReadEnd(string path)
    {
        if (!File.Exists(path))
        {
            return string.Empty;
        }

        using var file = File.OpenRead(path);
        file.Seek(Math.Max(0, file.Length - QuotedBytes), SeekOrigin.Begin);
        Span<byte> end = stackalloc byte[QuotedBytes];
        return Encoding.UTF8.GetString(end[..file.ReadAtLeast(end, QuotedBytes, throwOnEndOfStream: false)]);
    }
}
