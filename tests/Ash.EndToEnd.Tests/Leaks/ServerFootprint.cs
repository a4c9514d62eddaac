using System.Globalization;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Leaks;

/// <summary>What a server takes of its machine at one moment, after a full collection.</summary>
/// <param name="HeapBytes">Living objects.</param>
/// <param name="ResidentBytes">RSS.</param>
/// <param name="Descriptors">Open descriptors, by what they are.</param>
internal sealed record ServerFootprint(long HeapBytes, long ResidentBytes, IReadOnlyDictionary<string, int> Descriptors)
{
    public static async Task<ServerFootprint> MeasureAsync(AshServer server, CancellationToken cancellationToken)
    {
        var heap = await ServerHeap.CollectAsync(server.Pid, cancellationToken);
        return new ServerFootprint(heap, ProcessMemory.KbOf(server.Pid, "VmRSS") * 1024, ReadDescriptors(server.Pid));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"heap {HeapBytes / 1048576.0:0.00} MB, RSS {ResidentBytes / 1048576.0:0.0} MB, {Descriptors.Values.Sum()} descriptors ({Describe()})");

    /// <summary>The open descriptors: files by their path, all else by its kind.</summary>
    public static IReadOnlyDictionary<string, int> ReadDescriptors(int pid)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var descriptor in Directory.EnumerateFiles($"/proc/{pid}/fd"))
        {
            var target = new FileInfo(descriptor).LinkTarget;
            if (target is not null)
            {
                var kind = target[0] == '/' ? target : target.Split('[')[0] + (target.StartsWith("anon_inode", StringComparison.Ordinal) ? target["anon_inode:".Length..] : string.Empty);
                counts[kind] = counts.GetValueOrDefault(kind) + 1;
            }
        }

        return counts;
    }

    private string Describe() => string.Join(", ", Descriptors.Where(pair => pair.Key[0] != '/').Select(pair => $"{pair.Value} {pair.Key}"));
}
