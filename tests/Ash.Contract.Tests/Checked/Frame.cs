namespace Ash.Contract.Tests.Checked;

/// <summary>A frame of a stream: <c>event: NAME</c>, <c>data: JSON</c>, <c>id: N</c>, and an empty line (contract 4.1, design 4.1).</summary>
public sealed record Frame(string Name, string Data, string Id)
{
    public static IReadOnlyList<Frame> Parse(string stream) =>
    [
        .. Blocks(stream)
            .Where(block => !block.StartsWith(':'))
            .Select(block => block.Split('\n').ToDictionary(line => line.Split(": ")[0], line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..]))
            .Select(lines => new Frame(lines["event"], lines["data"], lines["id"])),
    ];

    /// <summary>What clients that split at line ends and look for <c>event: </c> and <c>data: </c> would stumble over; null for nothing.</summary>
    public static string? FindMistake(string stream) => Blocks(stream)
        .FirstOrDefault(block => !block.StartsWith(':') && block.Split('\n').Select(line => line.Split(": ")[0]) is var fields
            && !(fields.Order().SequenceEqual(["data", "event", "id"])
                && fields.First() == "event")) is { } wrong
        ? $"has a frame of another form: {wrong}"
        : stream.Contains('\r', StringComparison.Ordinal) ? "has a carriage return" : null;

    private static string[] Blocks(string stream) => stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
}
