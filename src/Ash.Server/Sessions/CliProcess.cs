namespace Ash.Server.Sessions;

/// <summary>What the session knows of the CLI inside its sandbox. Only looked at under the session's gate.</summary>
internal sealed class CliProcess
{
    /// <summary>Which start of the CLI this is: 1, 2 … in this sandbox; 0 before the first.</summary>
    public int Number { get; set; }

    public bool IsRunning { get; set; }

    /// <summary>It waits for a line: nothing was written to it since it last said that it is idle.</summary>
    public bool IsIdle { get; set; }

    /// <summary>Model that <c>set_model</c> or the start asked for last.</summary>
    public string? Model { get; set; }

    /// <summary>Users' texts that a killed process forgot, to be told to this one before its first prompt.</summary>
    public Queue<Turn> Forgotten { get; } = new();

    /// <summary>The forgotten text whose empty result is awaited, or null.</summary>
    public Guid? Restoring { get; set; }

    /// <summary>The last lines of its standard error: they say why it ended.</summary>
    public string? LastErrorLine { get; set; }

    public TaskCompletionSource Exited { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Begin(string? model)
    {
        Number++;
        IsRunning = true;
        IsIdle = true;
        Model = model;
        Restoring = null;
        LastErrorLine = null;
        Exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void MarkExited()
    {
        IsRunning = false;
        IsIdle = false;
        Restoring = null;
        Forgotten.Clear();
        Exited.TrySetResult();
    }
}
