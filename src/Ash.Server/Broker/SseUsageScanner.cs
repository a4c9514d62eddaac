namespace Ash.Server.Broker;

/// <summary>Finds the usage in a streamed reply: it is in the data of <c>message_start</c> and <c>message_delta</c>.</summary>
/// <remarks>
/// The data of other events, nearly all of a reply, is searched for the end of its line and not looked at. An event
/// without a name is scanned.
/// </remarks>
internal sealed class SseUsageScanner(TokenUsage usage) : IUsageScanner
{
    private const int MaxNameBytes = 16;

    private readonly JsonUsageScanner _data = new(usage);
    private readonly byte[] _text = new byte[MaxNameBytes];

    private Part _part;
    private int _textLength;
    private bool _isRelevant = true;
    private bool _wasReturn;

    private enum Part
    {
        Field,
        EventName,
        Data,
        Ignored,
    }

    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_wasReturn)
            {
                _wasReturn = false;

                if (bytes[0] == '\n')
                {
                    bytes = bytes[1..];
                    continue;
                }
            }

            var length = _part switch
            {
                Part.Field => bytes.IndexOfAny((byte)':', (byte)'\r', (byte)'\n'),
                _ => bytes.IndexOfAny((byte)'\r', (byte)'\n'),
            };
            Take(length < 0 ? bytes : bytes[..length]);

            if (length < 0)
            {
                return;
            }

            End(bytes[length]);
            bytes = bytes[(length + 1)..];
        }
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        switch (_part)
        {
            case Part.Data:
                _data.Read(bytes);
                break;

            case Part.Field or Part.EventName when _textLength + bytes.Length <= MaxNameBytes:
                bytes.CopyTo(_text.AsSpan(_textLength));
                _textLength += bytes.Length;
                break;

            case Part.EventName:
                _isRelevant = false;
                _part = Part.Ignored;
                break;

            case Part.Field:
                _part = Part.Ignored;
                break;
        }
    }

    private void End(byte delimiter)
    {
        var text = _text.AsSpan(0, _textLength);

        if (delimiter == ':' && _part is Part.Field)
        {
            _part = text.SequenceEqual("event"u8) ? Part.EventName
                : text.SequenceEqual("data"u8) && _isRelevant ? Part.Data
                : Part.Ignored;
            _textLength = 0;
            return;
        }

        if (delimiter == ':')
        {
            // The field was too long to be one of ours; its line goes on.
            return;
        }

        if (_part is Part.EventName)
        {
            var name = text.TrimStart((byte)' ');
            _isRelevant = name.SequenceEqual("message_start"u8) || name.SequenceEqual("message_delta"u8);
        }
        else if (_part is Part.Field && _textLength == 0)
        {
            _data.Reset();
            _isRelevant = true;
        }

        _part = Part.Field;
        _textLength = 0;
        _wasReturn = delimiter == '\r';
    }
}
