using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;
using Ash.Runner.Workspaces;
using Microsoft.Extensions.Logging;

namespace Ash.Runner.Sandboxes;

/// <summary>Starts one real sandbox and checks from inside and outside that every layer holds.</summary>
/// <remarks>Success is remembered for this boot and these binaries; a failure is looked at again each time.</remarks>
internal sealed partial class SandboxSelfTest(SandboxHost host, CgroupLayout? cgroups, ILogger logger)
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(30);

    private string ResultFile => Path.Combine(host.Options.DataDirectory, "self-test.json");

    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken cancellationToken)
    {
        var key = Key();
        if (await ReadPassedKeyAsync(cancellationToken) == key)
        {
            return [];
        }

        // The CLI is large, and reading it takes as long as the sandbox.
        var checks = await Task.WhenAll(Task.Run(() => CheckCliAsync(cancellationToken), cancellationToken), CheckSandboxAsync(cancellationToken));
        string[] missing = [.. checks[0], .. checks[1]];
        if (missing.Length == 0)
        {
            await File.WriteAllBytesAsync(ResultFile, JsonSerializer.SerializeToUtf8Bytes(new PassedTest(key)), cancellationToken);
        }

        LogResult(missing.Length);
        return missing;
    }

    private static string Stamp(string file)
    {
        var info = new FileInfo(file);
        return string.Create(CultureInfo.InvariantCulture, $"{file}:{info.Length}:{info.LastWriteTimeUtc.Ticks}");
    }

    private string Key() =>
        string.Join(
            '|',
            ProcessStart.BootId,
            host.Isolation,
            Environment.ProcessPath is { } server ? Stamp(server) : string.Empty,
            Stamp(typeof(SandboxSelfTest).Assembly.Location is { Length: > 0 } assembly ? assembly : host.Options.BridgeProgram),
            Stamp(host.Options.BridgeProgram),
            Stamp(host.BubblewrapProgram),
            Stamp(host.Options.CliProgram),
            host.Options.CliSha256);

    private async Task<string?> ReadPassedKeyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize<PassedTest>(await File.ReadAllBytesAsync(ResultFile, cancellationToken))?.Key;
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            return null;
        }
    }

    private async Task<List<string>> CheckCliAsync(CancellationToken cancellationToken)
    {
        await using var cli = File.OpenRead(host.Options.CliProgram);
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(cli, cancellationToken));
        if (hash == host.Options.CliSha256)
        {
            return [];
        }

        var wanted = host.Options.CliSha256 == PinnedCli.Sha256 ? $"version {PinnedCli.Version}" : "the one that ASH_CLI_SHA256 names";
        return
        [
            $"claude: {host.Options.CliProgram} is not {wanted} (its SHA-256 is {hash}). "
            + "Run `make setup`, or name the right one in CLAUDE_CODE_EXECUTABLE.",
        ];
    }

    private async Task<List<string>> CheckSandboxAsync(CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        var id = host.SelfTestId;
        var folder = Path.Combine(host.Options.DataDirectory, "tmp", $"self-test-{id}");
        try
        {
            var spec = MakeSpec(id, folder);
            await using var sandbox = await host.StartAsync(spec, cancellationToken);
            try
            {
                CheckOutside(sandbox.Identity, missing);
                var report = await SandboxProbe.RunAsync(sandbox, ProbeTimeout, cancellationToken);
                missing.AddRange(SandboxProbe.Judge(report));
            }
            finally
            {
                await sandbox.KillAsync();
            }
        }
        catch (SandboxException failure)
        {
            missing.Add(failure.Message);
        }
        finally
        {
            FolderRemoval.Remove(folder);
        }

        return missing;
    }

    private SandboxSpec MakeSpec(string id, string folder)
    {
        string Make(string name)
        {
            var path = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
            if (host.DropsUser)
            {
                HostFiles.GiveTo(path, (uint)host.Options.SelfTestUid);
            }

            return path;
        }

        return new SandboxSpec
        {
            Id = id,
            Uid = host.Options.SelfTestUid,
            WorkspacePath = Make("work"),
            HomePath = Make("home"),
            ContentPath = HostFiles.MakeFolder(Path.Combine(folder, "content")),
            OrphanTimeout = TimeSpan.FromMinutes(1),
        };
    }

    private void CheckOutside(SandboxIdentity identity, List<string> missing)
    {
        if (cgroups is null)
        {
            return;
        }

        foreach (var folder in cgroups.SandboxFolders(identity.Id))
        {
            var members = File.ReadAllLines(Path.Combine(folder, "cgroup.procs"));
            if (!members.Contains($"{identity.BridgePid}"))
            {
                missing.Add($"cgroups: the sandbox did not join {folder}. Its limits do not hold; check the cgroup mounts.");
            }
        }

        foreach (var pid in new SandboxCgroups(cgroups, identity.Id).Processes())
        {
            if (UserOf(pid) is { } user && user != identity.Uid)
            {
                missing.Add($"user: process {pid} of the sandbox runs as host user {user}, not {identity.Uid}.");
            }
        }
    }

    private static int? UserOf(int pid)
    {
        try
        {
            // Uid: real, effective, saved, file system.
            return File.ReadLines($"/proc/{pid}/status")
                .Where(line => line.StartsWith("Uid:", StringComparison.Ordinal))
                .Select(line => int.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture))
                .FirstOrDefault();
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LoggerMessage(LogLevel.Information, "The sandbox self-test found {Count} things missing")]
    private partial void LogResult(int count);

    private sealed record PassedTest(string Key);
}
