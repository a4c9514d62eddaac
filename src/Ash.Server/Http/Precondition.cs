using Microsoft.Net.Http.Headers;

namespace Ash.Server.Http;

/// <summary>Which state of a thing a request is meant for: its <c>If-Match</c>.</summary>
internal readonly struct Precondition
{
    private readonly IList<EntityTagHeaderValue>? _tags;

    private Precondition(IList<EntityTagHeaderValue>? tags) => _tags = tags;

    /// <remarks>One that cannot be read is met by no state.</remarks>
    public static Precondition Of(HttpRequest request) => new(
        request.Headers.IfMatch.Count == 0 ? null
        : EntityTagHeaderValue.TryParseStrictList(request.Headers.IfMatch, out var tags) ? tags
        : []);

    public bool Allows(string tag) => _tags is null || _tags.Any(expected =>
        expected.Equals(EntityTagHeaderValue.Any) || expected.Compare(new EntityTagHeaderValue(tag), useStrongComparison: true));

    /// <summary>Whether the client has this state already: its <c>If-None-Match</c>.</summary>
    public static bool HasAlready(HttpRequest request, string tag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var tags) && tags.Any(known =>
            known.Equals(EntityTagHeaderValue.Any) || known.Compare(new EntityTagHeaderValue(tag), useStrongComparison: false));
}
