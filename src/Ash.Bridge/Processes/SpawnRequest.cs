namespace Ash.Bridge.Processes;

/// <summary>A process to start in the workspace, in a session of its own. The three descriptors are closed afterwards in any case.</summary>
/// <param name="Arguments">Program, an absolute path, and arguments.</param>
/// <param name="Environment">All of it.</param>
/// <param name="Input">Becomes standard input; the next two standard output and error.</param>
internal sealed record SpawnRequest(
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    int Input,
    int Output,
    int Error);
