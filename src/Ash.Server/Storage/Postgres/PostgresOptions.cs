using System.Collections.Frozen;

namespace Ash.Server.Storage.Postgres;

/// <summary>The options of a database URL, in libpq's words, and Npgsql's for them.</summary>
internal static class PostgresOptions
{
    /// <summary>Parts of the address that may be written as options; they have no word of Npgsql's here.</summary>
    private static readonly FrozenSet<string> Parts = FrozenSet.Create("host", "port", "user", "password", "dbname");

    private static readonly FrozenDictionary<string, Option> Known = new Dictionary<string, Option>
    {
        ["sslmode"] = new("SSL Mode", new()
        {
            ["disable"] = "Disable",
            ["allow"] = "Allow",
            ["prefer"] = "Prefer",
            ["require"] = "Require",
            ["verify-ca"] = "VerifyCA",
            ["verify-full"] = "VerifyFull",
        }),
        ["sslrootcert"] = new("Root Certificate", Values: null),
        ["sslcert"] = new("SSL Certificate", Values: null),
        ["sslkey"] = new("SSL Key", Values: null),
        ["channel_binding"] = new("Channel Binding", new() { ["disable"] = "Disable", ["prefer"] = "Prefer", ["require"] = "Require" }),
        ["application_name"] = new("Application Name", Values: null),
    }.ToFrozenDictionary();

    public static string Names { get; } = string.Join(", ", Known.Keys.Concat(Parts).Order(StringComparer.Ordinal));

    public static bool IsKnown(string name, string value) =>
        value.Length > 0 && (Parts.Contains(name) || (Known.TryGetValue(name, out var option) && option.Values?.ContainsKey(value) != false));

    /// <summary>Npgsql's name and value of an option that is known.</summary>
    public static (string Name, string Value) Translate(string name, string value) =>
        Known[name] is var option && option.Values is { } values ? (option.Name, values[value]) : (option.Name, value);

    /// <param name="Name">Npgsql's.</param>
    /// <param name="Values">Npgsql's for each that it may have; null where it may have any.</param>
    private sealed record Option(string Name, Dictionary<string, string>? Values);
}
