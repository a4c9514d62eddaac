using System.Globalization;

namespace Ash.Testing;

/// <summary>A process of some sandbox, as the host sees it.</summary>
/// <param name="Pid">Host pid.</param>
/// <param name="InnerPid">Pid inside its sandbox; equal to <paramref name="Pid"/> for the outer bubblewrap.</param>
/// <param name="Name">Its <c>comm</c>.</param>
/// <param name="Uid">Host user.</param>
/// <param name="Sandbox">The sandbox's id.</param>
public sealed record SandboxProcess(int Pid, int InnerPid, string Name, int Uid, string Sandbox)
{
    /// <summary>Every process in the cgroups of a server, found by the v1 or v2 hierarchy that it uses.</summary>
    public static IReadOnlyList<SandboxProcess> OfServer(string serverId)
    {
        var found = new Dictionary<int, SandboxProcess>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && Read(pid, serverId) is { } process)
            {
                found[pid] = process;
            }
        }

        return [.. found.Values.OrderBy(process => process.Sandbox, StringComparer.Ordinal).ThenBy(process => process.InnerPid)];
    }

    private static SandboxProcess? Read(int pid, string serverId)
    {
        try
        {
            var marker = $"/ash-{serverId}/";
            var cgroup = File.ReadLines($"/proc/{pid}/cgroup").FirstOrDefault(line => line.Contains(marker, StringComparison.Ordinal));
            if (cgroup is null)
            {
                return null;
            }

            var sandbox = cgroup[(cgroup.IndexOf(marker, StringComparison.Ordinal) + marker.Length)..].Split('/')[0];
            var status = File.ReadAllLines($"/proc/{pid}/status")
                .Select(line => line.Split(':', 2))
                .Where(parts => parts.Length == 2)
                .ToDictionary(parts => parts[0], parts => parts[1].Trim());
            var inner = status["NSpid"].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[^1];
            var uid = status["Uid"].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[0];
            return new SandboxProcess(
                pid,
                int.Parse(inner, CultureInfo.InvariantCulture),
                status["Name"],
                int.Parse(uid, CultureInfo.InvariantCulture),
                sandbox);
        }
        catch (IOException)
        {
            // It ended while we looked.
            return null;
        }
    }
}
