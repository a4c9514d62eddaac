using Ash.Runner.Sandboxes;

namespace Ash.Server.Sessions;

/// <summary>Hears what happens in a session's sandbox.</summary>
internal interface ISandboxListener
{
    /// <summary>Takes frames in order. When it returns, their effects are stored and they are acknowledged.</summary>
    Task OnBatchAsync(SessionSandbox sandbox, IReadOnlyList<BridgeItem> batch, long lastFrame);

    /// <summary>The sandbox has ended by itself; everything it said was heard before.</summary>
    Task OnExitedAsync(SessionSandbox sandbox, SandboxExit exit);
}
