using System.Collections.Concurrent;

namespace Ash.Server.Telemetry;

/// <summary>Names that come from outside, as labels: the first few that look like names, and one word for all others.</summary>
/// <remarks>A model behind a gateway, or an agent, could otherwise make a series of every call.</remarks>
internal sealed class BoundedNames
{
    public const string Other = "other";
    internal const int Most = 32;
    private const int MaxLength = 64;

    private readonly ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);
    private int _count;

    public string Of(string? name)
    {
        if (!IsName(name))
        {
            return Other;
        }

        if (_known.TryGetValue(name!, out var known))
        {
            return known;
        }

        // A lost race costs a place, and never makes more of them.
        return Interlocked.Increment(ref _count) <= Most ? _known.GetOrAdd(name!, name!) : Other;
    }

    /// <summary>Letters, digits and a few signs; so that a text of somebody is never taken for a name.</summary>
    public static bool IsName(string? text) =>
        text is { Length: > 0 and <= MaxLength } && !text.AsSpan().ContainsAnyExcept(Allowed);

    private static readonly System.Buffers.SearchValues<char> Allowed =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@");
}
