namespace Ash.Simulator;

/// <summary>How the scripted model runs.</summary>
public sealed record SimulatorOptions
{
    /// <summary>The largest request body; a larger one is answered 413.</summary>
    public const int MaxBodyBytes = 64 * 1024 * 1024;

    /// <summary>A script file; without it, answers come from the conversation and from scripts in prompts.</summary>
    public string? ScriptFile { get; init; }

    /// <summary>Any other <c>x-api-key</c> or bearer token is answered 401.</summary>
    public string? RequiredKey { get; init; }

    /// <summary>Where each request is written to a file. They hold keys and all that users say.</summary>
    public string? LogDirectory { get; init; }

    /// <summary>How many requests are remembered; the oldest are forgotten first.</summary>
    public int KeptRequests { get; init; } = 1000;

    /// <summary>How many bytes of request bodies are remembered in all; the CLI sends 50 KB and more each time.</summary>
    public long KeptBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Measures the delays of scripts.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
