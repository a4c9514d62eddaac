namespace Ash.Cli.Servers;

/// <summary><c>server.json</c> of a data folder, written by the server that runs on it.</summary>
internal sealed record ServerRecord(string? Id, int Pid, int Port);
