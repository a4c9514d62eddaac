using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;

namespace Ash.Server.Events;

/// <summary>
/// The frames of one row, as pieces of its payload and of a few bytes around them: a long line is sent without a copy of it.
/// Used again and again for one row after the other; not thread-safe.
/// </summary>
internal sealed class RowFrames
{
    private const int MaxKeptPieces = 4096;
    private readonly List<Piece> _pieces = [];
    private readonly List<int> _ends = [];
    private ArrayBufferWriter<byte> _scratch = new(512);
    private ReadOnlyMemory<byte> _payload;
    private long _seq;
    private bool _isFirstMember;

    public int Count => _ends.Count;

    /// <summary>How many bytes all frames take.</summary>
    public long Length { get; private set; }

    public EventFlags Flags { get; set; }

    public void Start(long rowSeq, ReadOnlyMemory<byte> rowPayload)
    {
        if (_pieces.Capacity > MaxKeptPieces)
        {
            _pieces.Capacity = 0;
            _ends.Capacity = 0;
            _scratch = new(512);
        }

        _pieces.Clear();
        _ends.Clear();
        _scratch.ResetWrittenCount();
        _payload = rowPayload;
        _seq = rowSeq;
        Length = 0;
        Flags = EventFlags.None;
    }

    /// <summary>Lets go of the payload.</summary>
    public void Release() => Start(0, default);

    public void BeginFrame(ReadOnlySpan<byte> name)
    {
        Add("event: "u8);
        Add(name);
        Add("\ndata: "u8);
    }

    public void EndFrame(bool isLast)
    {
        Add("\nid: "u8);
        Span<byte> id = stackalloc byte[EventCursor.MaxBytes];
        Add(id[..new EventCursor(_seq, isLast ? 0 : Count + 1).Format(id)]);
        Add("\n\n"u8);
        _ends.Add(_pieces.Count);
    }

    public void BeginObject()
    {
        Add("{"u8);
        _isFirstMember = true;
    }

    public void EndObject() => Add("}"u8);

    /// <summary>Adds a value of the payload; where there is none, nothing.</summary>
    public void AddMember(ReadOnlySpan<byte> name, JsonSlice value)
    {
        if (value.Exists)
        {
            AddName(name);
            AddPayload(value.Start, value.Length);
        }
    }

    /// <summary>Adds a value that needs no escapes.</summary>
    public void AddMember(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isText = true)
    {
        AddName(name);
        Add(isText ? "\""u8 : default);
        Add(value);
        Add(isText ? "\""u8 : default);
    }

    /// <summary>Adds all members of the payload, which is one object or empty.</summary>
    public void AddMembers(ReadOnlySpan<byte> json)
    {
        var start = json.IndexOf((byte)'{') + 1;
        var end = json.LastIndexOf((byte)'}');
        if (start > 0 && end >= start && json[start..end].ContainsAnyExcept(" \t\r\n"u8))
        {
            Add(_isFirstMember ? default : ","u8);
            AddPayload(start, end - start);
        }
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        var start = _scratch.WrittenCount;
        _scratch.Write(bytes);
        Length += bytes.Length;
        var isNewFrame = _ends.Count > 0 && _ends[^1] == _pieces.Count;
        if (_pieces.Count > 0 && !isNewFrame && _pieces[^1] is { OfPayload: false } last && last.Start + last.Length == start)
        {
            _pieces[^1] = last with { Length = last.Length + bytes.Length };
        }
        else
        {
            _pieces.Add(new(start, bytes.Length, OfPayload: false));
        }
    }

    public void AddPayload(int start, int length)
    {
        _pieces.Add(new(start, length, OfPayload: true));
        Length += length;
    }

    public void AddPayload(JsonSlice slice) => AddPayload(slice.Start, slice.Length);

    /// <summary>Writes all frames but the first <paramref name="skip"/>.</summary>
    /// <returns>How many bytes were written.</returns>
    public long CopyTo(IBufferWriter<byte> output, int skip = 0)
    {
        var written = 0L;
        for (var index = FirstPiece(skip); index < _pieces.Count; index++)
        {
            var piece = _pieces[index];
            output.Write(Bytes(piece).Span);
            written += piece.Length;
        }

        return written;
    }

    /// <summary>Writes all frames but the first <paramref name="skip"/>, and never more than a chunk without a flush.</summary>
    /// <returns>Whether somebody still reads.</returns>
    public async ValueTask<bool> WriteAsync(PipeWriter output, int skip, int chunkBytes, CancellationToken cancellationToken)
    {
        Debug.Assert(chunkBytes > 0);
        var room = chunkBytes;
        for (var index = FirstPiece(skip); index < _pieces.Count; index++)
        {
            var rest = Bytes(_pieces[index]);
            while (rest.Length > 0)
            {
                var part = rest[..Math.Min(rest.Length, room)];
                output.Write(part.Span);
                rest = rest[part.Length..];
                room -= part.Length;
                if (room == 0)
                {
                    var flushed = await output.FlushAsync(cancellationToken);
                    if (flushed.IsCompleted || flushed.IsCanceled)
                    {
                        return false;
                    }

                    room = chunkBytes;
                }
            }
        }

        return true;
    }

    private void AddName(ReadOnlySpan<byte> name)
    {
        Add(_isFirstMember ? "\""u8 : ",\""u8);
        _isFirstMember = false;
        Add(name);
        Add("\":"u8);
    }

    private int FirstPiece(int skip) => skip <= 0 ? 0 : skip >= Count ? _pieces.Count : _ends[skip - 1];

    private ReadOnlyMemory<byte> Bytes(Piece piece) =>
        (piece.OfPayload ? _payload : _scratch.WrittenMemory).Slice(piece.Start, piece.Length);

    private readonly record struct Piece(int Start, int Length, bool OfPayload);
}
