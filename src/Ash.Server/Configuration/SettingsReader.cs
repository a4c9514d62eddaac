using System.Globalization;
using System.Net;

namespace Ash.Server.Configuration;

/// <summary>Reads single settings and collects everything that is wrong, so that an operator can fix it in one go.</summary>
internal sealed class SettingsReader(IReadOnlyDictionary<string, string?> values)
{
    private readonly List<string> _errors = [];
    private readonly HashSet<string> _refused = [];
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Errors => _errors;

    /// <summary>The settings that <see cref="Errors"/> are about.</summary>
    public IReadOnlySet<string> Refused => _refused;

    /// <summary>Every setting that was asked for, whether it is set or not.</summary>
    public IReadOnlySet<string> Known => _known;

    public void Refuse(string name, string reason)
    {
        _errors.Add($"{name}: {reason}");
        _refused.Add(name);
    }

    public string? Text(string name)
    {
        _known.Add(name);
        return values.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;
    }

    public int Number(string name, int fallback, int min, int max) => OptionalNumber(name, min, max) ?? fallback;

    public int? OptionalNumber(string name, int min, int max)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
        {
            return number;
        }

        Refuse(name, $"\"{text}\" is not a whole number from {min} to {max}");
        return null;
    }

    /// <summary>64 hexadecimal digits, in lower case; null where nothing is set.</summary>
    public string? Sha256(string name)
    {
        if (Text(name) is not { } text || (text.Length == 64 && text.All(char.IsAsciiHexDigit)))
        {
            return Text(name)?.ToLowerInvariant();
        }

        Refuse(name, $"\"{text}\" is no SHA-256: it has 64 hexadecimal digits");
        return null;
    }

    /// <summary>A duration as <c>500ms</c>, <c>30s</c>, <c>10m</c>, <c>2h</c>, <c>7d</c>; a bare number is seconds.</summary>
    public TimeSpan Duration(string name, TimeSpan fallback, TimeSpan min, TimeSpan max)
    {
        if (Text(name) is not { } text)
        {
            return fallback;
        }

        if (!DurationText.TryParse(text, out var duration))
        {
            Refuse(name, $"\"{text}\" is not a duration; write 500ms, 30s, 10m, 2h or 7d");
            return fallback;
        }

        if (duration < min || duration > max)
        {
            Refuse(name, $"\"{text}\" is not from {DurationText.Format(min)} to {DurationText.Format(max)}");
            return fallback;
        }

        return duration;
    }

    public T Choice<T>(string name, T fallback, params (string Word, T Value)[] choices)
    {
        if (Text(name) is not { } text)
        {
            return fallback;
        }

        foreach (var (word, value) in choices)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        Refuse(name, $"\"{text}\" is not one of {string.Join(", ", choices.Select(choice => choice.Word))}");
        return fallback;
    }

    public Uri? HttpUrl(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0)
        {
            return url;
        }

        // The text stays unsaid: a key may be in it.
        Refuse(name, "is not an http or https URL without user information");
        return null;
    }

    /// <summary>Printable ASCII without spaces and commas, of at least so many characters. No message repeats it.</summary>
    public string? Secret(string name, int minLength)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (!IsSecret(text))
        {
            Refuse(name, "has characters that a secret may not have; take letters, digits and signs, without spaces and commas");
        }
        else if (text.Length < minLength)
        {
            Refuse(name, $"is too short; take at least {minLength} characters, such as openssl rand -hex 32 prints");
        }

        return text;
    }

    /// <summary>Secrets with commas between them, of any length: what was used once is needed as it was.</summary>
    public IReadOnlyList<string>? Secrets(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        var secrets = text.Split(',');
        if (Array.Exists(secrets, static secret => !IsSecret(secret)))
        {
            Refuse(name, "is not a list of secrets; write one,other, without spaces");
        }

        return secrets;
    }

    private static bool IsSecret(string text) =>
        text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.Contains(',');

    /// <summary>Origins of web pages with commas between them, or <c>*</c> alone.</summary>
    public IReadOnlyList<string>? Origins(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        var origins = text.Split(',', StringSplitOptions.TrimEntries);
        if (text != "*" && Array.Find(origins, static origin => !IsOrigin(origin)) is { } wrong)
        {
            Refuse(name, $"\"{wrong}\" is not an origin; write https://app.example.com,http://localhost:3000, or * for all");
        }

        return origins;
    }

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && url.Scheme is "http" or "https"
        && string.Equals(url.GetLeftPart(UriPartial.Authority), text, StringComparison.OrdinalIgnoreCase)
        && url.UserInfo.Length == 0;

    public string? ExistingFile(string name)
    {
        if (Text(name) is not { } path)
        {
            return null;
        }

        if (File.Exists(path))
        {
            return Path.GetFullPath(path);
        }

        Refuse(name, $"there is no file at {path}");
        return null;
    }

    /// <summary>Absolute folders with colons between them: null where there is no setting, none where it is <c>none</c>.</summary>
    public IReadOnlyList<string>? Folders(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (text == "none")
        {
            return [];
        }

        var folders = text.Split(':');
        if (Array.Find(folders, folder => !Path.IsPathFullyQualified(folder)) is { } relative)
        {
            Refuse(name, $"\"{relative}\" is not an absolute path; write /one:/other, or none");
        }
        else if (Array.Find(folders, folder => !Directory.Exists(folder)) is { } missing)
        {
            Refuse(name, $"there is no folder at {missing}");
        }

        return folders;
    }

    public string Address(string name, string fallback)
    {
        var text = Text(name) ?? fallback;
        if (text == "localhost" || IPAddress.TryParse(text, out _))
        {
            return text;
        }

        Refuse(name, $"\"{text}\" is not an IP address; write 127.0.0.1, or 0.0.0.0 for all of this machine's");
        return fallback;
    }
}
