using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Ash.Server.Http;

/// <summary>The body of an answer that may be compressed: held back until it is long enough for that, and sent as it is where it never is.</summary>
internal sealed class CompressedBody(HttpResponse response, IHttpResponseBodyFeature plain, ContentCoding coding) : Stream, IHttpResponseBodyFeature
{
    /// <summary>A shorter answer fits a packet anyway.</summary>
    internal const int MinBytes = 1400;

    private byte[]? _held = ArrayPool<byte>.Shared.Rent(MinBytes);
    private int _heldBytes;
    private Stream? _target;
    private PipeWriter? _writer;

    Stream IHttpResponseBodyFeature.Stream => this;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(this, new StreamPipeWriterOptions(leaveOpen: true));

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void DisableBuffering() => plain.DisableBuffering();

    /// <remarks>Not yet: how the answer begins depends on how long it is.</remarks>
    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(this, path, offset, count, cancellationToken);

    public async Task CompleteAsync()
    {
        await FinishAsync();
        await plain.CompleteAsync();
    }

    /// <summary>Sends what is held back, and ends what is compressed. More than once is as once.</summary>
    public async Task FinishAsync()
    {
        if (_writer is { } writer)
        {
            _writer = null;
            await writer.CompleteAsync();
        }

        if (_target is null)
        {
            if (_heldBytes > 0 && !response.HasStarted)
            {
                response.ContentLength = _heldBytes;
            }

            await OpenAsync(plain.Stream, CancellationToken.None);
        }

        if (_target != plain.Stream)
        {
            await _target!.DisposeAsync(); // Just opened, or before.
            _target = plain.Stream;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_target is null && _heldBytes + buffer.Length <= MinBytes)
        {
            buffer.CopyTo(_held.AsMemory(_heldBytes));
            _heldBytes += buffer.Length;
            return;
        }

        if (_target is null)
        {
            await OpenAsync(MayCompress() ? Compress() : plain.Stream, cancellationToken);
        }

        await _target!.WriteAsync(buffer, cancellationToken); // Opened above.
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <remarks>None of these answers is read before its end.</remarks>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new InvalidOperationException("Answers are written asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && _held is { } held)
        {
            _held = null;
            ArrayPool<byte>.Shared.Return(held);
        }

        base.Dispose(disposing);
    }

    /// <summary>Whether it is a text that is made for this answer: nothing with a tag, and no file, of which parts may be asked for.</summary>
    private bool MayCompress() =>
        ContentCoding.IsText(response.ContentType)
        && response.Headers is { ContentEncoding.Count: 0, ContentRange.Count: 0, AcceptRanges.Count: 0, ContentDisposition.Count: 0, ETag.Count: 0 };

    private Stream Compress()
    {
        response.ContentLength = null;
        response.Headers.ContentEncoding = coding.Name;
        return coding.Open(plain.Stream);
    }

    private async Task OpenAsync(Stream target, CancellationToken cancellationToken)
    {
        _target = target;
        if (_heldBytes > 0)
        {
            await target.WriteAsync(_held.AsMemory(0, _heldBytes), cancellationToken);
        }
    }
}
