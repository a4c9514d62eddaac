using System.Buffers;
using System.Text;
using Ash.Protocol.Bridge;
using Ash.Runner.Bridges;

namespace Ash.Runner.Sandboxes;

/// <summary>Looks at a sandbox from inside. It opens what must not open, and never writes to it.</summary>
internal static class SandboxProbe
{
    /// <summary>One <c>key value</c> a line; <c>open X</c> where the fence X has a hole.</summary>
    private const string Script = """
        grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -d ':' | tr '\t' ' '
        echo "user $(id -u)"
        for file in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sysrq-trigger; do
            (exec 3>>$file) 2>/dev/null && echo "open $file"
        done
        for file in /ash-probe /dev/ash-probe /etc/ash-probe /run/ash/ash-probe /opt/ash/ash-probe \
                    /workspace/CLAUDE.md /workspace/.claude/ash-probe /workspace/.mcp.json; do
            (exec 3>>$file) 2>/dev/null && echo "open $file"
        done
        for file in /root /sys/kernel /boot /var/lib /etc/shadow; do test -e $file && echo "open $file"; done
        unshare -Ur true 2>/dev/null && echo "open user namespaces"
        tail -n +3 /proc/net/dev | while IFS=': ' read -r name rest; do echo "interface $name"; done
        for folder in /workspace /home/agent /tmp /dev/shm; do
            : 2>/dev/null > $folder/ash-probe && rm $folder/ash-probe && echo "writable $folder"
        done
        ls /proc | grep -c '^[0-9]*$' | sed 's/^/processes /'
        echo "end ok"
        """;

    /// <summary>More would be the host's.</summary>
    private const int MaxProcesses = 16;

    private static readonly string[] CapabilitySets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    private static readonly string[] WritableFolders = ["/workspace", "/home/agent", "/tmp", "/dev/shm"];

    public static async Task<string> RunAsync(ISandbox sandbox, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        giveUp.CancelAfter(timeout);
        try
        {
            await using var connection = await sandbox.Connections.ReadAsync(giveUp.Token);
            await connection.SendAsync(new Welcome(0), default, giveUp.Token);
            await connection.SendAsync(
                new Configure("configure", new Dictionary<string, string> { ["PATH"] = "/usr/bin:/usr/sbin" }), default, giveUp.Token);
            await connection.SendAsync(new Exec("probe", Script, (int)timeout.TotalMilliseconds), default, giveUp.Token);
            var output = new ProbeOutput(connection);
            await connection.RunAsync(output, giveUp.Token);
            return output.Text;
        }
        catch (Exception failure) when (failure is IOException or System.Threading.Channels.ChannelClosedException)
        {
            throw new SandboxException($"bridge: the self-test's sandbox ended early: {failure.Message}", failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SandboxException($"bridge: the self-test's command gave no answer within {timeout.TotalSeconds:0} s.");
        }
    }

    /// <summary>What is wrong with a report, each line with its layer.</summary>
    public static IEnumerable<string> Judge(string report)
    {
        var found = report.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 2))
            .Where(parts => parts.Length == 2)
            .ToLookup(parts => parts[0], parts => parts[1]);

        foreach (var set in CapabilitySets)
        {
            if (!found[set].Any(value => value.Trim('0').Length == 0))
            {
                yield return $"capabilities: {set} is not empty inside the sandbox. Use bubblewrap 0.8 or later.";
            }
        }

        if (!found["NoNewPrivs"].Contains("1"))
        {
            yield return "privileges: NoNewPrivs is not set inside the sandbox. Use bubblewrap 0.8 or later.";
        }

        if (!found["Seccomp"].Contains("2"))
        {
            yield return "seccomp: no filter is installed inside the sandbox. The kernel needs CONFIG_SECCOMP_FILTER.";
        }

        if (!found["user"].Contains("1000"))
        {
            yield return "user: the sandbox does not show user 1000. The kernel must allow user namespaces.";
        }

        foreach (var hole in found["open"])
        {
            yield return $"files: {hole} is open inside the sandbox and must not be.";
        }

        foreach (var name in found["interface"].Where(name => name != "lo"))
        {
            yield return $"network: the sandbox sees the interface {name}.";
        }

        foreach (var folder in WritableFolders.Except(found["writable"]))
        {
            yield return $"files: {folder} is not writable inside the sandbox. Check the owner of the data folder's workspaces.";
        }

        if (!found["processes"].Any(count => int.TryParse(count, out var number) && number <= MaxProcesses))
        {
            yield return "processes: the sandbox sees other processes than its own.";
        }

        if (!found["end"].Contains("ok"))
        {
            yield return "bridge: the self-test's command did not run to its end.";
        }
    }

    private sealed class ProbeOutput(IBridgeConnection connection) : IBridgeFrameHandler
    {
        private readonly StringBuilder _text = new();
        private bool _ended;

        public string Text => _text.ToString();

        public void OnFrame(BridgeEvent header, in ReadOnlySequence<byte> payload)
        {
            switch (header)
            {
                case ExecOutput { Stream: "stdout" }:
                    _text.Append(Encoding.UTF8.GetString(payload));
                    break;
                case ExecExited:
                case CommandDone { Ok: false }:
                    _ended = true;
                    break;
                default:
                    break;
            }
        }

        public ValueTask OnBatchAsync(CancellationToken cancellationToken) =>
            _ended ? connection.DisposeAsync() : ValueTask.CompletedTask;
    }
}
