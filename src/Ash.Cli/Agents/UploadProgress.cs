using System.Globalization;
using Ash.Cli.Output;

namespace Ash.Cli.Agents;

/// <summary>How far an upload is.</summary>
/// <param name="totalBytes">Of the files, before they are encoded.</param>
internal sealed class UploadProgress(long totalBytes) : IProgress<double>
{
    private double _sent;

    /// <param name="value">The part that is on its way, from 0 to 1.</param>
    public void Report(double value) => Volatile.Write(ref _sent, value);

    public string Tell(TimeSpan elapsed) => Volatile.Read(ref _sent) is < 1 and var sent
        ? $"Uploading … {Display.Size((long)(totalBytes * sent))} of {Display.Size(totalBytes)}"
        : string.Create(CultureInfo.InvariantCulture, $"Uploaded; the server makes it a version … {elapsed.TotalSeconds:0} s");
}
