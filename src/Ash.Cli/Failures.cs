using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Ash.Cli.Output;
using Ash.Client;

namespace Ash.Cli;

/// <summary>The one place where a failure becomes a line on stderr and an exit code.</summary>
internal static class Failures
{
    public static async Task<int> GuardAsync(CommandContext context, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (Exception failure) when (Describe(failure) is { } told)
        {
            context.Output.Failure(told);
            return told.ExitCode;
        }
    }

    public static int Guard(CliHost host, Func<int> run)
    {
        try
        {
            return run();
        }
        catch (CliException failure)
        {
            using var output = new CliOutput(host, json: false);
            output.Failure(new Failure(failure.Message, failure.ExitCode));
            return failure.ExitCode;
        }
    }

    public static int Usage(CliHost host, ParseResult parse)
    {
        // An unknown word explains all that seems to be missing because of it.
        var told = parse.UnmatchedTokens is [var unknown, ..]
            ? [$"Unknown command or argument: {unknown}"]
            : parse.Errors.Select(error => error.Message);

        foreach (var line in told)
        {
            host.Error.WriteLine(line);
        }

        host.Error.WriteLine($"Usage: {NameOf(parse.CommandResult)} --help");
        return ExitCodes.Usage;
    }

    private static string NameOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{NameOf(parent)} {command.Command.Name}" : "ash";

    /// <summary>Null for what no command expects: that is a defect, and its trace is wanted.</summary>
    public static Failure? Describe(Exception failure) => failure switch
    {
        CliException known => new Failure(known.Message, known.ExitCode),
        AshConnectionException { InnerException: HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } } lost =>
            new Failure(NoServer(lost.ServerUrl), ExitCodes.NoServer),
        AshConnectionException lost => new Failure(lost.Message, ExitCodes.NoServer),
        AshApiException refusal => Describe(refusal),
        ArgumentException { ParamName: "path" } leading => new Failure(
            leading.Message.Replace(" (Parameter 'path')", "", StringComparison.Ordinal), ExitCodes.Usage),
        OperationCanceledException => new Failure("Cancelled.", ExitCodes.Cancelled),
        IOException or UnauthorizedAccessException => new Failure(failure.Message, ExitCodes.Failed),
        _ => null,
    };

    private static Failure Describe(AshApiException refusal)
    {
        var told = $"Failed: {refusal.Message} ({(int)refusal.StatusCode}{(refusal.Code is { } code ? $", {code}" : "")})";

        return refusal.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new Failure(
                $"{told}. Give the server's key by ASH_API_KEY, --api-key or: ash link URL --api-key KEY",
                ExitCodes.Unauthorised,
                refusal),
            HttpStatusCode.NotFound => new Failure(told, ExitCodes.NotFound, refusal),
            >= HttpStatusCode.InternalServerError when refusal.RequestId is { } id => new Failure(
                $"{told}. The server's log has more under request {id}", ExitCodes.Failed, refusal),
            _ => new Failure(told, ExitCodes.Failed, refusal),
        };
    }

    private static string NoServer(Uri url) => url.IsLoopback
        ? $"No Ash server answers at {ServerAddress.Show(url)}. Start one with: ash start"
        : $"No Ash server answers at {ServerAddress.Show(url)}. Check the address, or go back to this machine with: ash unlink";
}
