using System.Text;

namespace Ash.Contract.Tests.Fuzz;

/// <summary>Values that programs stumble over.</summary>
internal static class Junk
{
    private static readonly string Long = new('x', 70_000);

    /// <summary>As JSON.</summary>
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "1.5", "-0.0", "1e3", "1e400", "-1e400", "99999999999999999999999999", "2147483648", "9223372036854775808",
        "\"\"", "\" \"", "\"\\u0000\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u2028\\u2029\"", "\"\\u202e\"", "\"\\ufeff\"", "\"💥\"", "\"true\"", "\"1\"",
        "\"NaN\"", "\"-1\"", "\"../../etc/passwd\"", "\"/\"", "\"C:\\\\x\"", "\"CON\"", "\"a/b/../c\"", "\".\"", "\"..\"", "\"%2e%2e%2f\"", "\"' OR 1=1 --\"", "\"{{x}}\"", "\"${jndi:x}\"",
        "\"2026-13-45T99:99:99Z\"", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.9999999+14:00\"", "\"====\"", "\"eA\"", "\"e A=\\n=\"",
        "{}", "[]", "[null]", "[[]]", "[\"\"]", "[1,\"a\",{}]", "{\"\":\"\"}", "{\"a\":null}", "{\"a\":{\"b\":[1]}}", "{\"$ref\":\"#\"}", "{\"type\":\"text\",\"text\":\"x\"}",
        $"\"{Long}\"", Nested(60), Nested(400), $"[{string.Join(',', Enumerable.Repeat("{}", 2000))}]",
    ];

    private static readonly string[] Texts =
    [
        "", " ", "0", "-1", "1", "1001", "1e3", "99999999999999999999", "true", "TRUE", "latest", "idle", "json", "raw", "null", "undefined", "1.1", "1.", "x", "%00", "%0d%0aX-A:%20b", "%ff%fe", "%ed%a0%80",
        "%F0%9F%92%A5", "..", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a%2Fb", "%252e", ".", "~", "*", "'", "%22", "%3Cscript%3E", "CLAUDE.md", "attachments", ".claude%2Fsettings.json", "a%5Cb",
        new('9', 5000), new('a', 300),
    ];

    private static readonly (string Name, string Value)[] Headers =
    [
        ("Accept", "application/json"), ("Accept", "text/event-stream"), ("Accept", "*/*;q=x"), ("Accept", ",,;"), ("Accept", new('a', 4000)),
        ("Idempotency-Key", "k"), ("Idempotency-Key", new('k', 256)), ("Idempotency-Key", "  "), ("If-Match", "*"), ("If-Match", "\"x\""), ("If-Match", "W/\"x\", x"), ("If-None-Match", "*"),
        ("If-None-Match", "\"\"\""), ("Range", "bytes=0-"), ("Range", "bytes=-1"), ("Range", "bytes=5-2"), ("Range", "bytes=0-0,2-3"), ("Range", "bytes=99999999999999999999-"), ("Range", "lines=1-2"), ("Range", "bytes"),
        ("Last-Event-ID", "1"), ("Last-Event-ID", "1.1"), ("Last-Event-ID", "x"), ("Last-Event-ID", new('1', 3000)), ("Origin", "null"), ("Origin", "https://evil.example"), ("Cookie", new('c', 8000)),
        ("X-Forwarded-For", "1.2.3.4"), ("X-HTTP-Method-Override", "DELETE"), ("Content-Encoding", "gzip"), ("Expect", "100-continue"), ("Transfer-Encoding", "chunked"), ("Connection", "close"), ("Upgrade", "websocket"),
        ("X-Request-Id", "mine"), ("Host", "evil.example"), ("Accept-Encoding", "br;q=1.0, *;q=0"), ("TE", "trailers"), ("Authorization", "Bearer"), ("Authorization", "Bearer  x"), ("Authorization", "bearer x"),
    ];

    private static readonly string[] MediaTypes =
    [
        "application/json; charset=utf-16", "application/json;charset=", "application/JSON", "text/json", "application/problem+json", "text/plain", "multipart/form-data; boundary=x", "application/gzip", "application/x-gzip", "", ";", "application/octet-stream", "*/*",
    ];

    public static string Value(Random random) => Pick(random, Values);

    public static string Text(Random random) => Pick(random, Texts);

    public static (string Name, string Value) Header(Random random) => Pick(random, Headers);

    public static string MediaType(Random random) => Pick(random, MediaTypes);

    public static byte[] Bytes(Random random)
    {
        var bytes = new byte[random.Next(1, 2000)];
        random.NextBytes(bytes);
        return random.Next(3) switch
        {
            0 => bytes,
            1 => [0x1f, 0x8b, 8, 0, .. bytes],
            _ => [.. Encoding.UTF8.GetBytes("{\"a\":\""), .. bytes, .. Encoding.UTF8.GetBytes("\"}")],
        };
    }

    public static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);
}
