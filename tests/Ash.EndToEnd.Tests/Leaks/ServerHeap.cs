using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace Ash.EndToEnd.Tests.Leaks;

/// <summary>Makes another .NET process collect, and tells what is left of its heap: no code of that process takes part.</summary>
internal static class ServerHeap
{
    /// <summary>Asks the runtime for a blocking collection of every generation when the session starts.</summary>
    private const long HeapCollect = 0x800000;

    /// <summary>Finalizers run between two collections, and what they let go of is gone after the next.</summary>
    private const int Collections = 3;

    /// <summary>The bytes of all living objects.</summary>
    public static async Task<long> CollectAsync(int pid, CancellationToken cancellationToken)
    {
        var living = 0L;
        for (var i = 0; i < Collections; i++)
        {
            living = await CollectOnceAsync(pid, cancellationToken);
        }

        return living;
    }

    private static async Task<long> CollectOnceAsync(int pid, CancellationToken cancellationToken)
    {
        var client = new DiagnosticsClient(pid);
        var provider = new EventPipeProvider(
            ClrTraceEventParser.ProviderName, EventLevel.Informational, HeapCollect | (long)ClrTraceEventParser.Keywords.GC);
        using var session = await client.StartEventPipeSessionAsync([provider], requestRundown: false, circularBufferMB: 16, cancellationToken);
        var found = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var source = new EventPipeEventSource(session.EventStream);
        var induced = -1;
        source.Clr.GCStart += start =>
        {
            if (start is { Depth: 2, Reason: Microsoft.Diagnostics.Tracing.Parsers.Clr.GCReason.Induced })
            {
                induced = start.Count;
            }
        };
        source.Clr.GCHeapStats += stats =>
        {
            if (induced >= 0)
            {
                found.TrySetResult(stats.TotalPromoted);
            }
        };
        var reading = Task.Run(source.Process, CancellationToken.None);
        var living = await found.Task.WaitAsync(cancellationToken);
        await session.StopAsync(cancellationToken);
        await reading.WaitAsync(cancellationToken);
        return living;
    }
}
