using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Ash.Server.Tests.Files;

/// <summary>A body in which <c>@n</c> stands for the base64 of n zeros; made as it is read, for it may be large.</summary>
internal sealed partial class RepeatedBody : Stream
{
    private readonly List<(byte[] Text, long Letters)> _parts = [];
    private int _part;
    private long _position;

    public RepeatedBody(string text)
    {
        var start = 0;
        foreach (Match claim in Claim().Matches(text))
        {
            var size = long.Parse(claim.Groups[1].Value, CultureInfo.InvariantCulture);
            var end = Convert.ToBase64String(new byte[size % 3]);
            _parts.Add((Encoding.UTF8.GetBytes(text[start..claim.Index]), size / 3 * 4));
            _parts.Add((Encoding.UTF8.GetBytes(end), 0));
            start = claim.Index + claim.Length;
        }

        _parts.Add((Encoding.UTF8.GetBytes(text[start..]), 0));
        Length = _parts.Sum(part => part.Text.Length + part.Letters);
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count)
    {
        while (_part < _parts.Count)
        {
            var (text, letters) = _parts[_part];
            if (_position < text.Length)
            {
                var copied = (int)Math.Min(count, text.Length - _position);
                Array.Copy(text, _position, buffer, offset, copied);
                _position += copied;
                return copied;
            }

            var filled = (int)Math.Min(count, text.Length + letters - _position);
            if (filled > 0)
            {
                buffer.AsSpan(offset, filled).Fill((byte)'A');
                _position += filled;
                return filled;
            }

            (_part, _position) = (_part + 1, 0);
        }

        return 0;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    [GeneratedRegex(@"@(\d+)")]
    private static partial Regex Claim();
}
