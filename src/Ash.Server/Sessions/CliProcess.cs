using System.Security.Cryptography;
using System.Text;

namespace Ash.Server.Sessions;

/// <summary>What the session knows of the CLI inside its sandbox. Only looked at under the session's gate.</summary>
internal sealed class CliProcess
{
    /// <summary>Which start of the CLI this is: 1, 2 … in this sandbox; 0 before the first.</summary>
    public int Number { get; private set; }

    public bool IsRunning { get; private set; }

    /// <summary>It waits for a line: nothing was written to it since it last said that it is idle.</summary>
    public bool IsIdle { get; set; }

    /// <summary>It was asked to end: its end is no loss.</summary>
    public bool IsClosing { get; set; }

    /// <summary>It has answered something: whatever ends it from now on, it was not its start.</summary>
    public bool HasAnswered => Answered.Task.IsCompleted;

    public TaskCompletionSource Answered { get; private set; } = NewSource();

    /// <summary>It was started on a transcript.</summary>
    public bool Resumes { get; private set; }

    /// <summary>The turn that it takes up by itself, because the turn's text is the end of its transcript.</summary>
    public Guid? GoesOnWith { get; private set; }

    /// <summary>Model that <c>set_model</c> or the start asked for last.</summary>
    public string? Model { get; private set; }

    /// <summary>False for a process that an earlier server started.</summary>
    public bool IsModelKnown { get; private set; }

    /// <summary>Tells what a session or a message has chosen of its arguments from anything else: their SHA-256, in hexadecimal.</summary>
    public string Flags { get; private set; } = string.Empty;

    /// <summary>It was given a turn: what that cost counts against a budget that it was started with.</summary>
    public bool HasRunTurn { get; set; }

    /// <summary>What a killed process forgot, to be told to this one before its first prompt.</summary>
    public Queue<ForgottenLine> Forgotten { get; private set; } = new();

    /// <summary>The forgotten text whose empty result is awaited, or null.</summary>
    public Guid? Restoring { get; set; }

    /// <summary>Processes inside that the kernel had killed for their memory, as far as that is in the log.</summary>
    public long OutOfMemoryKills { get; set; }

    public TaskCompletionSource Exited { get; private set; } = NewSource();

    public string StartId => $"start/{Number}";

    /// <summary>A process is asked for: the next of this sandbox.</summary>
    public void Begin(CliStart start, string? model, IReadOnlyList<string> flags)
    {
        Number++;
        Flags = TextOf(flags);
        HasRunTurn = false;
        IsRunning = true;
        IsIdle = true;
        IsClosing = false;
        Answered = NewSource();
        Resumes = start.Resumes;
        GoesOnWith = start.GoesOnWith;
        Forgotten = start.Forgotten;
        Restoring = null;
        Exited = NewSource();
        SetModel(model);
    }

    /// <summary>A process of an earlier server is there, or may be: it is not idle until its bridge has said so.</summary>
    public void TakeOver(int number, string flags)
    {
        Number = number;
        Flags = flags;
        HasRunTurn = true;
        IsRunning = true;
        Answered.TrySetResult();
    }

    public static string TextOf(IReadOnlyList<string> flags) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', flags))));

    public void SetModel(string? model)
    {
        Model = model;
        IsModelKnown = true;
    }

    public void MarkExited()
    {
        IsRunning = false;
        IsIdle = false;
        Restoring = null;
        Forgotten.Clear();
        Exited.TrySetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
