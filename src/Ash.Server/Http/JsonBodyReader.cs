using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ash.Server.Http;

/// <summary>Reads a JSON body piece by piece as it arrives, for bodies that are too large to be held: their long strings are
/// streams.</summary>
/// <remarks>
/// Whatever is wrong with the body is a <see cref="RefusedRequestException"/>. It reads what it is asked for, in order, as the
/// request's type says; there is no tree.
/// </remarks>
/// <param name="body">The request's; not owned.</param>
/// <param name="maxBytes">So long may it be.</param>
internal sealed class JsonBodyReader(Stream body, long maxBytes) : IDisposable
{
    private const int BufferBytes = 64 * 1024;
    private const int MaxNameBytes = 100;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _position;
    private int _filled;
    private long _read;

    /// <summary>The place of the next byte, from 1.</summary>
    private long Place => _read - (_filled - _position) + 1;

    /// <summary>Begins the body of a request that must be JSON, and an object.</summary>
    /// <exception cref="RefusedRequestException">It is not.</exception>
    public static async Task<JsonBodyReader> BeginAsync(HttpRequest request, long maxBytes, CancellationToken cancellationToken)
    {
        if (!request.HasJsonContentType())
        {
            throw new RefusedRequestException(Problems.UnsupportedMediaType(request.ContentType));
        }

        if (request.ContentLength > maxBytes)
        {
            throw TooLarge(maxBytes);
        }

        var reader = new JsonBodyReader(request.Body, maxBytes);
        try
        {
            if (await reader.PeekAsync(cancellationToken) is not { } first)
            {
                throw new RefusedRequestException(Problems.EmptyBody);
            }

            if (first != '{')
            {
                throw IsJson(first) ? new RefusedRequestException(Problems.BodyIsNoObject) : reader.Invalid();
            }

            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads an object: each of its values is to be read by <paramref name="readValue"/>, which knows its
    /// name.</summary>
    /// <param name="path">Where it is in the body, for what is said of it.</param>
    /// <param name="known">The names that it may have.</param>
    /// <param name="readValue">Reads one value, and all of it.</param>
    public async Task ReadObjectAsync(
        string path, IReadOnlyList<string> known, Func<string, Task> readValue, CancellationToken cancellationToken)
    {
        await ExpectAsync('{', $"{path} must be object", cancellationToken);
        for (var isFirst = true; !await TryPassAsync('}', cancellationToken); isFirst = false)
        {
            if (!isFirst)
            {
                await ExpectAsync(',', problem: null, cancellationToken);
            }

            var name = await ReadShortStringAsync(MaxNameBytes, cancellationToken);
            await ExpectAsync(':', problem: null, cancellationToken);
            var field = known.FirstOrDefault(field => field.Equals(name, StringComparison.OrdinalIgnoreCase));
            await readValue(field ?? throw new RefusedRequestException(Problems.UnknownField(name, known)));
        }
    }

    /// <summary>Reads an array, each element of it by <paramref name="readElement"/>, which gets its number from 0 on.</summary>
    public async Task ReadArrayAsync(string path, Func<int, Task> readElement, CancellationToken cancellationToken)
    {
        await ExpectAsync('[', $"{path} must be array", cancellationToken);
        for (var i = 0; !await TryPassAsync(']', cancellationToken); i++)
        {
            if (i > 0)
            {
                await ExpectAsync(',', problem: null, cancellationToken);
            }

            await readElement(i);
        }
    }

    /// <summary>Reads a string that is short enough to be held.</summary>
    /// <param name="path">Where it is in the body.</param>
    /// <param name="maxBytes">So long may it be, in UTF-8.</param>
    public async Task<string> ReadStringAsync(string path, int maxBytes, CancellationToken cancellationToken) =>
        await PeekAsync(cancellationToken) == '"'
            ? await ReadShortStringAsync(maxBytes, cancellationToken)
            : throw new RefusedRequestException($"{path} must be string");

    /// <summary>The same where it may be null.</summary>
    public async Task<string?> ReadOptionalStringAsync(string path, int maxBytes, CancellationToken cancellationToken)
    {
        if (await PeekAsync(cancellationToken) != 'n')
        {
            return await ReadStringAsync(path, maxBytes, cancellationToken);
        }

        foreach (var letter in "null")
        {
            if (await NextAsync(cancellationToken) != letter)
            {
                throw Invalid();
            }
        }

        return null;
    }

    /// <summary>Begins a string of any length, which holds base64: its bytes are read from the stream, to its end, before
    /// anything else.</summary>
    /// <param name="path">Where it is in the body.</param>
    public async Task<Base64Content> BeginBase64Async(string path, CancellationToken cancellationToken)
    {
        await ExpectAsync('"', $"{path} must be string", cancellationToken);
        return new Base64Content(this, path);
    }

    /// <summary>Nothing may follow but white space.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (await PeekAsync(cancellationToken) is not null)
        {
            throw Invalid();
        }
    }

    /// <summary>Reads on in a string, undoing its escapes.</summary>
    /// <param name="target">Of four bytes at least.</param>
    /// <returns>How much came; 0 at the string's end, which is passed.</returns>
    public async ValueTask<int> ReadTextAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        const int MaxEscaped = 4;
        var written = 0;
        while (written + MaxEscaped <= target.Length)
        {
            if (_position == _filled && !await FillAsync(cancellationToken))
            {
                throw Invalid();
            }

            var plain = _buffer.AsSpan(_position, Math.Min(_filled - _position, target.Length - written));
            var end = plain.IndexOfAnyExceptInRange((byte)' ', byte.MaxValue) is >= 0 and var control ? control : plain.Length;
            end = plain[..end].IndexOfAny((byte)'"', (byte)'\\') is >= 0 and var special ? special : end;
            if (end > 0)
            {
                plain[..end].CopyTo(target.Span[written..]);
                written += end;
                _position += end;
                continue;
            }

            if (plain[0] == '"')
            {
                // The end is said once, and passed with that.
                _position += written == 0 ? 1 : 0;
                return written;
            }

            written += await ReadEscapeAsync(target[written..], cancellationToken);
        }

        return written;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private async Task<string> ReadShortStringAsync(int maxBytes, CancellationToken cancellationToken)
    {
        await ExpectAsync('"', problem: null, cancellationToken);
        var text = ArrayPool<byte>.Shared.Rent(maxBytes + 4);
        try
        {
            var filled = 0;
            int read;
            while ((read = await ReadTextAsync(text.AsMemory(filled), cancellationToken)) > 0)
            {
                filled += read;
                if (filled > maxBytes)
                {
                    throw new RefusedRequestException($"body has a text of more than {maxBytes} bytes at byte {Place}");
                }
            }

            return Encoding.UTF8.GetString(text, 0, filled);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(text);
        }
    }

    private async ValueTask<int> ReadEscapeAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (await NextAsync(cancellationToken) != '\\')
        {
            throw Invalid();
        }

        var letter = (char)await NextAsync(cancellationToken);
        if (letter != 'u')
        {
            target.Span[0] = letter switch
            {
                '"' or '\\' or '/' => (byte)letter,
                'b' => (byte)'\b',
                'f' => (byte)'\f',
                'n' => (byte)'\n',
                'r' => (byte)'\r',
                't' => (byte)'\t',
                _ => throw Invalid(),
            };
            return 1;
        }

        var unit = await ReadUnitAsync(cancellationToken);
        if (!char.IsHighSurrogate(unit))
        {
            return char.IsLowSurrogate(unit) ? throw Invalid() : new Rune(unit).EncodeToUtf8(target.Span);
        }

        // Half of a pair is no character.
        if (await NextAsync(cancellationToken) != '\\' || await NextAsync(cancellationToken) != 'u'
            || await ReadUnitAsync(cancellationToken) is var low && !char.IsLowSurrogate(low))
        {
            throw Invalid();
        }

        return new Rune(unit, low).EncodeToUtf8(target.Span);
    }

    private async ValueTask<char> ReadUnitAsync(CancellationToken cancellationToken)
    {
        var digits = new char[4];
        for (var i = 0; i < digits.Length; i++)
        {
            digits[i] = (char)await NextAsync(cancellationToken);
        }

        return ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : throw Invalid();
    }

    /// <summary>The next byte that is no white space, not yet passed; null at the body's end.</summary>
    private async ValueTask<byte?> PeekAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_position == _filled && !await FillAsync(cancellationToken))
            {
                return null;
            }

            if (_buffer[_position] is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            {
                return _buffer[_position];
            }

            _position++;
        }
    }

    private async ValueTask<bool> TryPassAsync(char wanted, CancellationToken cancellationToken)
    {
        if (await PeekAsync(cancellationToken) != wanted)
        {
            return false;
        }

        _position++;
        return true;
    }

    private async ValueTask ExpectAsync(char wanted, string? problem, CancellationToken cancellationToken)
    {
        if (!await TryPassAsync(wanted, cancellationToken))
        {
            throw problem is not null && _position < _filled && IsJson(_buffer[_position])
                ? new RefusedRequestException(problem)
                : Invalid();
        }
    }

    private async ValueTask<byte> NextAsync(CancellationToken cancellationToken) =>
        _position < _filled || await FillAsync(cancellationToken) ? _buffer[_position++] : throw Invalid();

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _position = 0;
        _filled = await RequestBody.ReadAsync(body, _buffer, cancellationToken);
        _read += _filled;
        return _read <= maxBytes ? _filled > 0 : throw TooLarge(maxBytes);
    }

    /// <summary>Whether a value may begin so.</summary>
    private static bool IsJson(byte first) => first is
        (byte)'{' or (byte)'[' or (byte)'"' or (byte)'-' or (byte)'t' or (byte)'f' or (byte)'n'
        or (>= (byte)'0' and <= (byte)'9');

    private RefusedRequestException Invalid() => new($"body is not valid JSON at byte {Place}");

    private static RefusedRequestException TooLarge(long maxBytes) =>
        new(Problems.BodyTooLarge(maxBytes));
}
