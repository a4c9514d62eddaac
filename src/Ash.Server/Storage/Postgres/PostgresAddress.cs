using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Ash.Server.Storage.Postgres;

/// <summary>Where a Postgres database is, and who asks it: what a URL as libpq's says. No text of it has the password.</summary>
internal sealed record PostgresAddress
{
    /// <summary>What a URL looks like, for those who wrote another.</summary>
    public const string Form = "postgres://user:password@host:5432/database?sslmode=require";

    private const int DefaultPort = 5432;
    private const char OptionsBegin = '?';

    /// <summary>A name, an address, or the folder of a Unix socket.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string Database { get; init; }

    public required string User { get; init; }

    /// <summary>Null where libpq's password file or the environment has it, or none is asked for.</summary>
    public string? Password { get; private init; }

    /// <summary>Options of the connection in libpq's words, such as <c>sslmode</c>.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    /// <summary>Reads a URL.</summary>
    /// <param name="url">May have a password: no problem quotes any of it.</param>
    /// <param name="address">The address; null where there is a problem.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? FindProblem(string url, out PostgresAddress? address)
    {
        address = null;
        if (Rest(url) is not { } rest)
        {
            return "does not begin with postgres:// or postgresql://";
        }

        var (place, query) = Split(rest, OptionsBegin);
        if (!TryReadOptions(query, out var options, out var problem))
        {
            return problem;
        }

        var (authority, path) = Split(place, '/');
        var at = authority.LastIndexOf('@');
        var (user, password) = at < 0 ? (null, null) : Split(authority[..at], ':');
        if (path?.AsSpan().ContainsAny('/', '@') == true || !TryReadHost(authority[(at + 1)..], out var host, out var port))
        {
            return "cannot be read; have special characters of user and password been percent-encoded, @ as %40 and / as %2F?";
        }

        // As libpq: a parameter takes the place of what stands before it.
        host = Take("host") ?? (host.Length > 0 ? Decode(host) : null);
        user = Take("user") ?? (user is { Length: > 0 } ? Decode(user) : null);
        password = Take("password") ?? (password is null ? null : Decode(password));
        var database = Take("dbname") ?? (path is { Length: > 0 } ? Decode(path) : user);
        if (host is null || user is null || host.Contains(','))
        {
            return host is null ? "names no host" : user is null ? "names no user" : "names several hosts; one is offered";
        }

        if (Take("port") is { } other && !TryReadPort(other, out port))
        {
            return "has a port that is not a number from 1 to 65535";
        }

        address = new PostgresAddress { Host = host, Port = port, Database = database!, User = user, Password = password, Options = options };
        return null;

        string? Take(string name) => options.Remove(name, out var value) ? value : null;
    }

    /// <summary>Without the password.</summary>
    public override string ToString()
    {
        var host = Host.StartsWith('/') ? $"/{Uri.EscapeDataString(Database)}?host={Host}" : $"{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}/{Uri.EscapeDataString(Database)}";
        return $"postgres://{Uri.EscapeDataString(User)}@{host}";
    }

    private static string? Rest(string url)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["postgres://", "postgresql://"])
        {
            if (url.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            {
                return url[scheme.Length..];
            }
        }

        return null;
    }

    private static bool TryReadOptions(string? query, out Dictionary<string, string> options, [NotNullWhen(false)] out string? problem)
    {
        options = [];
        foreach (var option in (query ?? "").Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Split(option, '=');
            if (value is null || !PostgresOptions.IsKnown(name, Decode(value)))
            {
                // What stands here may be the end of a password that was not encoded.
                problem = $"has an option that is not offered, or a value that it cannot have; there are: {PostgresOptions.Names}";
                return false;
            }

            options[name] = Decode(value);
        }

        problem = null;
        return true;
    }

    private static bool TryReadHost(string text, out string host, out int port)
    {
        port = DefaultPort;
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']');
            host = end < 0 ? "" : text[1..end];
            return end >= 0 && (end == text.Length - 1 || (text[end + 1] == ':' && TryReadPort(text[(end + 2)..], out port)));
        }

        (host, var number) = Split(text, ':');
        return number is null || TryReadPort(number, out port);
    }

    private static bool TryReadPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue;

    private static (string Left, string? Right) Split(string text, char at) =>
        text.IndexOf(at) is >= 0 and var index ? (text[..index], text[(index + 1)..]) : (text, null);

    private static string Decode(string text) => Uri.UnescapeDataString(text);
}
