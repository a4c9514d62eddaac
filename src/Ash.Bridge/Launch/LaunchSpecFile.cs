using System.Text.Json;
using Ash.Protocol.Launch;

namespace Ash.Bridge.Launch;

/// <summary>Reads and checks a launch spec before anything is done.</summary>
internal static class LaunchSpecFile
{
    /// <exception cref="LaunchException">There is none, or it makes no sense.</exception>
    internal static LaunchSpec Read(string path)
    {
        var spec = Parse(path);
        if (FaultOf(spec) is { } fault)
        {
            throw new LaunchException($"read spec {path}: {fault}");
        }

        return spec;
    }

    internal static string? FaultOf(LaunchSpec spec) => spec switch
    {
        { Uid: <= 0 } => $"a sandbox never runs as uid {spec.Uid}",
        { Command: [] } => "there is no command",
        _ when !spec.Bubblewrap.StartsWith('/') => "bubblewrap must be an absolute path",
        _ when spec.Command.Any(argument => argument.Contains('\0')) => "the command contains NUL",
        _ when spec.Binds.FirstOrDefault(bind => !IsName(bind.Name)) is { } bind => $"'{bind.Name}' is no name below /mnt",
        _ when spec.Binds.CountBy(bind => bind.Name).FirstOrDefault(count => count.Value > 1).Key is { } twice =>
            $"'{twice}' is bound twice",
        _ => null,
    };

    private static LaunchSpec Parse(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), LaunchJson.Default.LaunchSpec)
                ?? throw new LaunchException($"read spec {path}: it is null");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new LaunchException($"read spec {path}: {failure.GetType().Name}");
        }
    }

    private static bool IsName(string name) => name is not ("" or "." or "..") && !name.AsSpan().ContainsAny('/', '\0');
}
