using Ash.Runner.Sandboxes;

namespace Ash.Server.Sessions;

/// <summary>Hears what happens in a session's sandbox.</summary>
internal interface ISandboxListener
{
    /// <summary>Takes frames in order, and calls <see cref="SessionSandbox.MarkStored"/> once their effects are stored.</summary>
    /// <remarks>Where it throws before that, it gets the same frames again.</remarks>
    Task OnBatchAsync(SessionSandbox sandbox, IReadOnlyList<BridgeItem> batch, long lastFrame);

    /// <summary>The sandbox has ended by itself; everything it said was heard before.</summary>
    void OnExited(SessionSandbox sandbox, SandboxExit exit);
}
