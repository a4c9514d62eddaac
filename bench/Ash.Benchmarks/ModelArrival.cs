using System.Text;
using Ash.Simulator;

namespace Ash.Benchmarks;

/// <summary>How long it takes until a text reaches the model: the scripted one runs in this process, so both times are of one clock.</summary>
internal static class ModelArrival
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static int _last;

    /// <param name="model">The model that the text is to reach.</param>
    /// <param name="send">Sends the text that it is given; may go on after the model was reached, and is waited for.</param>
    /// <returns>Milliseconds from before it was sent to the model's having read the request that holds it.</returns>
    public static async Task<double> MeasureAsync(SimulatorHost model, Func<string, Task> send)
    {
        var text = $"Say {Interlocked.Increment(ref _last):D6}-{Guid.NewGuid():N}";
        var bytes = Encoding.UTF8.GetBytes(text);
        using var patience = new CancellationTokenSource(Patience);
        model.Reset();
        var begun = DateTimeOffset.UtcNow;
        var sending = send(text);
        var arrived = await model.WaitForRequestAsync(
            request => request.Path == "/v1/messages" && request.Body.Span.IndexOf(bytes) >= 0, patience.Token);
        await sending;
        return (arrived.ReceivedAt - begun).TotalMilliseconds;
    }
}
