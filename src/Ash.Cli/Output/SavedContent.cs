using System.CommandLine;
using System.Text;
using Ash.Client;

namespace Ash.Cli.Output;

/// <summary>What a server sends as bytes: printed, or saved as a file of this machine.</summary>
internal static class SavedContent
{
    public static Option<string?> Option() =>
        new("--output", "-o") { Description = "Saves it there; printed where absent.", HelpName = "file" };

    /// <summary>Prints the bytes as they are; on a terminal, as text that can do nothing there.</summary>
    /// <param name="path">Where to save them instead.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> TakeAsync(
        CommandContext context, FileDownload content, string? path, CancellationToken cancellationToken)
    {
        if (path is not null)
        {
            return await SaveAsync(context, content, path, cancellationToken);
        }

        if (context.Output.IsTerminal)
        {
            using var text = new StreamReader(content.Content, Encoding.UTF8);
            context.Output.Out.Write(TerminalText.Clean(await text.ReadToEndAsync(cancellationToken)));
            return ExitCodes.Ok;
        }

        await using var output = context.Host.OpenOut();
        await content.Content.CopyToAsync(output, cancellationToken);
        return ExitCodes.Ok;
    }

    /// <returns>The exit code.</returns>
    public static async Task<int> SaveAsync(
        CommandContext context, FileDownload content, string path, CancellationToken cancellationToken)
    {
        long size;

        using (context.Output.Wait($"Saving {path}"))
        {
            size = await SaveAsync(content.Content, path, cancellationToken);
        }

        var source = content.Source is { } known ? $", from the {known}" : "";
        context.Output.Say($"Saved {path} ({size} bytes{source})");
        context.Output.ResultForPrograms(new SavedFile(path, size));
        return ExitCodes.Ok;
    }

    /// <summary>Under another name until it is whole: a connection that breaks leaves no half of a file behind.</summary>
    private static async Task<long> SaveAsync(Stream content, string path, CancellationToken cancellationToken)
    {
        var unfinished = $"{path}.{Environment.ProcessId}.part";

        try
        {
            long size;

            await using (var file = new FileStream(unfinished, FileMode.CreateNew, FileAccess.Write))
            {
                await content.CopyToAsync(file, cancellationToken);
                size = file.Length;
            }

            File.Move(unfinished, path, overwrite: true);
            return size;
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }
}
