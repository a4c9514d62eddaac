using Ash.Runner.Streams;

namespace Ash.Server.Broker;

/// <summary>A request's body as it passes: every byte is shown to the scanner before it goes on, and none goes on after a refusal.</summary>
internal sealed class ScannedStream(Stream body, ForwardOutcome outcome) : PassingStream
{
    /// <exception cref="BadHttpRequestException">The scanner refuses the request.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await body.ReadAsync(buffer, cancellationToken);
        outcome.RequestBytes += count;
        outcome.Request.Read(buffer.Span[..count]);
        return outcome.Request.Refusal is { } refusal
            ? throw new BadHttpRequestException(refusal, StatusCodes.Status403Forbidden)
            : count;
    }
}
