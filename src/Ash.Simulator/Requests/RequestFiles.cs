using System.Text.Json;
using System.Text.RegularExpressions;
using Ash.Simulator.Replies;

namespace Ash.Simulator.Requests;

/// <summary>Each request as a file of its own, written as it arrives and again when it ends.</summary>
internal sealed partial class RequestFiles
{
    private readonly string _directory;

    public RequestFiles(string directory)
    {
        _directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(_directory);
    }

    public async Task WriteAsync(RecordedRequest request)
    {
        var name = $"{request.Number:D5}-{request.Method}-{Unsafe.Replace(request.Path, "_").Trim('_')}.json";

        await using var file = File.Create(Path.Combine(_directory, name));
        await using var json = new Utf8JsonWriter(file, ReplyJson.WritingIndented);
        RequestJson.Write(json, request, withBody: true);
    }

    [GeneratedRegex("[^A-Za-z0-9]+")]
    private static partial Regex Unsafe { get; }
}
