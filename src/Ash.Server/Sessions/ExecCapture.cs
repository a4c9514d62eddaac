using System.Buffers;
using System.Text;
using Ash.Protocol.Bridge;

namespace Ash.Server.Sessions;

/// <summary>What a user's command wrote, and how it ended.</summary>
internal sealed class ExecCapture
{
    private readonly ArrayBufferWriter<byte> _stdout = new();
    private readonly ArrayBufferWriter<byte> _stderr = new();

    public TaskCompletionSource<ExecExited> Exited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Stdout => Encoding.UTF8.GetString(_stdout.WrittenSpan);

    public string Stderr => Encoding.UTF8.GetString(_stderr.WrittenSpan);

    public void Add(string stream, in ReadOnlySequence<byte> bytes)
    {
        var target = stream == "stdout" ? _stdout : _stderr;

        // The bridge cuts at this length; a forged one is cut here.
        if (target.WrittenCount + bytes.Length <= BridgeProtocol.MaxExecOutputBytes)
        {
            foreach (var segment in bytes)
            {
                target.Write(segment.Span);
            }
        }
    }
}
