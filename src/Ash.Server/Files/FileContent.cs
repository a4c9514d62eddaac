using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Ash.Server.Http;
using Microsoft.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace Ash.Server.Files;

/// <summary>The bytes of a file as an answer: all of them, or the one range that was asked for.</summary>
/// <param name="file">Not owned.</param>
/// <param name="name">What it is called where it is saved.</param>
/// <param name="mediaType">What it is said to be; no browser guesses at it, or shows it.</param>
internal sealed class FileContent(SafeFileHandle file, string name, string mediaType)
{
    private const int BufferBytes = 64 * 1024;

    private long _start;
    private bool _isPart;

    /// <summary>Of the file as it was first seen, in bytes: it may change.</summary>
    public long Length { get; } = RandomAccess.GetLength(file);

    /// <summary>So many bytes are sent.</summary>
    public long Count { get; private set; }

    /// <summary>Reads the request's <c>Range</c>. Several ranges, or what is none, count as none.</summary>
    /// <param name="problem">Why it cannot be had.</param>
    public bool TryChoose(HttpContext context, [NotNullWhen(false)] out Problem? problem)
    {
        var request = context.Request;
        problem = null;
        Count = Length;

        // A file here has no tag or date that a client could make a range depend on.
        if (request.Headers.ContainsKey(HeaderNames.IfRange)
            || !RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var ranges)
            || ranges is not { Unit.Value: "bytes", Ranges: { Count: 1 } single })
        {
            return true;
        }

        var (from, to) = (single.First().From, single.First().To);
        _start = from ?? Math.Max(0, Length - (to ?? 0));
        var last = from is null ? Length - 1 : Math.Min(to ?? Length - 1, Length - 1);
        if (_start > last || (from is null && to is null or 0))
        {
            context.Response.Headers.ContentRange = $"bytes */{Length}";
            problem = Problems.RangeNotSatisfiable(Length);
            return false;
        }

        _isPart = true;
        Count = last - _start + 1;
        return true;
    }

    /// <summary>Sends it, in pieces. Where the file ends too soon, so does the connection.</summary>
    public async Task SendAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.StatusCode = _isPart ? StatusCodes.Status206PartialContent : StatusCodes.Status200OK;
        response.ContentType = mediaType;
        response.ContentLength = Count;
        response.Headers.AcceptRanges = "bytes";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentDisposition = $"attachment; filename*=UTF-8''{Uri.EscapeDataString(name)}";
        if (_isPart)
        {
            response.Headers.ContentRange = $"bytes {_start}-{_start + Count - 1}/{Length}";
        }

        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await CopyAsync(context, cancellationToken);
        }
    }

    private async Task CopyAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (var sent = 0L; sent < Count;)
            {
                var piece = buffer.AsMemory(0, (int)Math.Min(BufferBytes, Count - sent));
                var read = await RandomAccess.ReadAsync(file, piece, _start + sent, cancellationToken);
                if (read == 0)
                {
                    context.Abort();
                    return;
                }

                await context.Response.Body.WriteAsync(piece[..read], cancellationToken);
                sent += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
