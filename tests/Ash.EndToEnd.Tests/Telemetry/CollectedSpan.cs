namespace Ash.EndToEnd.Tests.Telemetry;

/// <summary>A span as it was sent (opentelemetry.proto.trace.v1).</summary>
internal sealed record CollectedSpan(string Name, string TraceId, string SpanId, string ParentId, IReadOnlyDictionary<string, string> Tags)
{
    public static IEnumerable<CollectedSpan> ReadAll(Wire request) =>
        from resource in request.All(1)
        from scope in resource.All(2)
        from span in scope.All(2)
        select new CollectedSpan(span.Text(5), Hex(span, 1), Hex(span, 2), Hex(span, 4), ReadTags(span.All(9)));

    public static IReadOnlyDictionary<string, string> ReadTags(IEnumerable<Wire> attributes) =>
        attributes.ToDictionary(static attribute => attribute.Text(1), static attribute => ReadValue(attribute.All(2).Single()));

    private static string ReadValue(Wire value) =>
        value.Has(1) ? value.Text(1)
        : value.Has(5) ? string.Join(',', value.All(5).Single().All(1).Select(ReadValue))
        : $"{value.Number(3)}";

    private static string Hex(Wire span, int field) => Convert.ToHexStringLower(span.Bytes(field));
}
