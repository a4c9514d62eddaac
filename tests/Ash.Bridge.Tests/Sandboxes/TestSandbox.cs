using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Launch;

namespace Ash.Bridge.Tests.Sandboxes;

/// <summary>A real sandbox, started by the real launcher, with a server's end that the test plays. Gone when disposed.</summary>
internal sealed class TestSandbox : IAsyncDisposable
{
    internal const int Uid = 1900000001;

    private readonly Socket _listener;
    private readonly Process _launcher;

    private TestSandbox(string folder, Socket listener, Process launcher) =>
        (Folder, _listener, _launcher) = (folder, listener, launcher);

    /// <summary>Private to root, as a data folder is.</summary>
    internal string Folder { get; }

    internal string Workspace => Path.Combine(Folder, "work");

    internal string BrokerSocket => Path.Combine(Folder, "run", "broker.sock");

    internal int LauncherPid => _launcher.Id;

    /// <summary>Pid of the bridge as the host sees it.</summary>
    internal int BridgePid { get; private set; }

    internal static Task<TestSandbox> StartAsync(PublishedBridge bridge, params string[] options) =>
        StartAsync(bridge, cgroupFiles: [], options);

    internal static async Task<TestSandbox> StartAsync(PublishedBridge bridge, string[] cgroupFiles, string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("ash-bridge-").FullName;
        foreach (var name in (ReadOnlySpan<string>)["work", "run"])
        {
            File.SetUnixFileMode(Directory.CreateDirectory(Path.Combine(folder, name)).FullName, Everybody);
        }

        var listener = Listen(Path.Combine(folder, "run", "host.sock"));
        var start = new ProcessStartInfo(bridge.Path, ["launch", WriteSpec(folder, bridge.Path, cgroupFiles, options)]) { RedirectStandardError = true };
        start.Environment["CANARY"] = "of the server";
        var launcher = Process.Start(start) ?? throw new InvalidOperationException("The launcher did not start.");
        Assert.Equal("", await launcher.StandardError.ReadToEndAsync(Deadline.Token)); // Ends where it becomes bubblewrap.
        return new(folder, listener, launcher);
    }

    /// <summary>Takes the bridge's next connection.</summary>
    internal async Task<Conversation> AcceptAsync()
    {
        try
        {
            var conversation = await Conversation.BeginAsync(await _listener.AcceptAsync(Deadline.Token));
            BridgePid = ReadBridgePid();
            return conversation;
        }
        catch (OperationCanceledException)
        {
            throw new InvalidOperationException($"No bridge dialled in. Its log: {await File.ReadAllTextAsync(Path.Combine(Folder, "log"))}");
        }
    }

    /// <summary>The same, welcomed as a bridge that nothing is known of.</summary>
    internal async Task<Conversation> WelcomeAsync(long acknowledged = 0)
    {
        var conversation = await AcceptAsync();
        await conversation.SendAsync(new Protocol.Bridge.Welcome(acknowledged));
        return conversation;
    }

    internal static Socket Listen(string path)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, Everybody);
        listener.Listen(100);
        return listener;
    }

    /// <summary>The server goes away: nobody can dial in any more.</summary>
    internal void StopListening() => _listener.Dispose();

    /// <summary>The exit status that outer bubblewrap passes on.</summary>
    internal async Task<int> WaitForEndAsync()
    {
        await _launcher.WaitForExitAsync(Deadline.Token);
        return _launcher.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        if (!_launcher.HasExited)
        {
            var bridge = BridgePid == 0 ? ReadBridgePid() : BridgePid;
            using var process = bridge == 0 ? _launcher : Process.GetProcessById(bridge);
            process.Kill();
            await _launcher.WaitForExitAsync(Deadline.Token);
        }

        _launcher.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private const UnixFileMode Everybody = (UnixFileMode)0x1ff;

    private static string WriteSpec(string folder, string bridge, string[] cgroupFiles, string[] options)
    {
        var arguments = Path.Combine(folder, "arguments");
        File.WriteAllBytes(arguments, Encoding.UTF8.GetBytes(string.Concat(Arguments.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Select(a => a + '\0'))));
        var filter = Path.Combine(folder, "filter");
        StrictFilter.Write(filter);

        var spec = new LaunchSpec
        {
            Uid = Uid,
            CgroupFiles = cgroupFiles,
            Binds =
            [
                new("/usr", "usr", ReadOnly: true),
                new(bridge, "bridge", ReadOnly: true),
                new(Path.Combine(folder, "run"), "run", ReadOnly: true),
                new(Path.Combine(folder, "work"), "work", ReadOnly: false),
            ],
            Bubblewrap = "/usr/bin/bwrap",
            ArgumentsFile = arguments,
            SeccompFile = filter,
            InfoFile = Path.Combine(folder, "info"),
            LogFile = Path.Combine(folder, "log"),
            Command = [SandboxPaths.Bridge, "run", .. options],
        };
        var file = Path.Combine(folder, "spec.json");
        File.WriteAllBytes(file, JsonSerializer.SerializeToUtf8Bytes(spec, LaunchJson.Default.LaunchSpec));
        return file;
    }

    private const string Arguments =
        """
        --unshare-user --unshare-all --disable-userns --uid 1000 --gid 1000 --new-session --cap-drop ALL
        --ro-bind /mnt/usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64
        --proc /proc --dev /dev --tmpfs /tmp --bind /mnt/work /workspace --ro-bind /mnt/run /run/ash
        --dir /opt --dir /opt/ash --ro-bind /mnt/bridge /opt/ash/ash-bridge --remount-ro /
        """;

    private int ReadBridgePid()
    {
        var info = File.ReadAllText(Path.Combine(Folder, "info"));
        return info.Length == 0 ? 0 : JsonDocument.Parse(info).RootElement.GetProperty("child-pid").GetInt32();
    }

    internal string[] HostStatus(string field) =>
        [.. File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{BridgePid}/status"))
            .First(line => line.StartsWith(field + ":", StringComparison.Ordinal))
            .Split('\t', StringSplitOptions.RemoveEmptyEntries)[1..]];
}
