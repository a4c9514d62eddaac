using System.Buffers;

namespace Ash.Server.Broker;

/// <summary>
/// Finds <c>model</c> and <c>usage</c> in a JSON document, at its top level or in its <c>message</c>, wherever the document is
/// split, and keeps nothing of the rest.
/// </summary>
/// <remarks>
/// Not a <c>Utf8JsonReader</c>: that wants each token whole, and a reply's text is one token of any length. Only what is
/// found is parsed by one. Names written with escapes are not recognised; the model API writes none.
/// </remarks>
internal sealed class JsonUsageScanner(TokenUsage usage) : IUsageScanner
{
    private const int MaxCaptureBytes = 8 * 1024;
    private const int MaxNameBytes = 8;

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],"u8);

    private readonly ArrayBufferWriter<byte> _captured = new(512);
    private readonly byte[] _name = new byte[MaxNameBytes];

    private int _depth;
    private bool _isRootObject;
    private bool _isInMessage;
    private bool _expectsName;
    private bool _isInString;
    private bool _isName;
    private bool _isEscaped;
    private int _nameLength;
    private Property _property;
    private Property _capturing;
    private int _captureDepth;

    private enum Property
    {
        Other,
        Message,
        Model,
        Usage,
    }

    /// <summary>Whether the innermost open object is one whose properties count.</summary>
    private bool IsWatched => _depth == 1 ? _isRootObject : _depth == 2 && _isInMessage;

    /// <summary>Begins another document.</summary>
    public void Reset()
    {
        _captured.ResetWrittenCount();
        _depth = 0;
        _isRootObject = _isInMessage = _expectsName = _isInString = _isName = _isEscaped = false;
        _nameLength = 0;
        _property = _capturing = Property.Other;
    }

    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var length = _isInString ? ReadString(bytes) : ReadStructure(bytes);
            bytes = bytes[length..];
        }
    }

    /// <summary>Reads within a string, up to its end at most.</summary>
    private int ReadString(ReadOnlySpan<byte> bytes)
    {
        if (_isEscaped)
        {
            _isEscaped = false;
            Capture(bytes[..1]);
            return 1;
        }

        var length = bytes.IndexOfAny((byte)'"', (byte)'\\');

        if (length < 0)
        {
            AddToName(bytes);
            Capture(bytes);
            return bytes.Length;
        }

        AddToName(bytes[..length]);
        Capture(bytes[..(length + 1)]);

        if (bytes[length] == '\\')
        {
            _isEscaped = true;
            _nameLength = MaxNameBytes + 1;
        }
        else
        {
            _isInString = false;
            EndString();
        }

        return length + 1;
    }

    /// <summary>Reads outside of strings, past the next character that matters.</summary>
    private int ReadStructure(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.IndexOfAny(Structure);

        if (length < 0)
        {
            Capture(bytes);
            return bytes.Length;
        }

        var next = bytes[length];

        if (next is (byte)'"' or (byte)'{')
        {
            // The bytes before a value belong to what is captured already, if anything is.
            Capture(bytes[..length]);
            Begin(next);
            Capture(bytes.Slice(length, 1));
        }
        else
        {
            Capture(bytes[..(length + 1)]);
            Continue(next);
        }

        return length + 1;
    }

    private void Begin(byte next)
    {
        if (next == '"')
        {
            _isInString = true;
            _isName = IsWatched && _expectsName;
            _nameLength = 0;

            if (!_isName && IsWatched && _property is Property.Model)
            {
                StartCapture(Property.Model);
            }

            return;
        }

        if (IsWatched && !_expectsName && _property is Property.Usage)
        {
            StartCapture(Property.Usage);
        }

        _isInMessage = _depth == 1 ? _isRootObject && _property is Property.Message : _isInMessage;
        _isRootObject |= _depth == 0;
        _depth++;
        _expectsName = IsWatched;
        _property = Property.Other;
    }

    private void Continue(byte next)
    {
        switch (next)
        {
            case (byte)',':
                _expectsName = IsWatched;
                _property = Property.Other;
                break;

            case (byte)'[':
                _isInMessage &= _depth != 1;
                _isRootObject &= _depth != 0;
                _depth++;
                _expectsName = false;
                break;

            default:
                _depth = Math.Max(0, _depth - 1);
                _expectsName = false;

                if (_capturing is Property.Usage && _depth == _captureDepth)
                {
                    EndCapture();
                }

                break;
        }
    }

    private void EndString()
    {
        if (_isName)
        {
            _expectsName = false;
            _property = PropertyOf(_nameLength <= MaxNameBytes ? _name.AsSpan(0, _nameLength) : []);
        }
        else if (_capturing is Property.Model)
        {
            EndCapture();
        }

        _isName = false;
    }

    private static Property PropertyOf(ReadOnlySpan<byte> name)
    {
        return name.SequenceEqual("usage"u8) ? Property.Usage
            : name.SequenceEqual("model"u8) ? Property.Model
            : name.SequenceEqual("message"u8) ? Property.Message
            : Property.Other;
    }

    private void AddToName(ReadOnlySpan<byte> bytes)
    {
        if (!_isName || bytes.IsEmpty)
        {
            return;
        }

        if (_nameLength + bytes.Length > MaxNameBytes)
        {
            _nameLength = MaxNameBytes + 1;
            return;
        }

        bytes.CopyTo(_name.AsSpan(_nameLength));
        _nameLength += bytes.Length;
    }

    private void StartCapture(Property property)
    {
        _capturing = property;
        _captureDepth = _depth;
        _captured.ResetWrittenCount();
    }

    private void Capture(ReadOnlySpan<byte> bytes)
    {
        if (_capturing is Property.Other)
        {
            return;
        }

        if (_captured.WrittenCount + bytes.Length > MaxCaptureBytes)
        {
            _capturing = Property.Other;
            return;
        }

        _captured.Write(bytes);
    }

    private void EndCapture()
    {
        if (_capturing is Property.Model)
        {
            usage.ReadModel(_captured.WrittenSpan);
        }
        else
        {
            usage.Read(_captured.WrittenSpan);
        }

        _capturing = Property.Other;
    }
}
