using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Warm;

/// <summary>A sandbox that waits for a session: the CLI is started in it, and nothing was sent to it.</summary>
/// <param name="Session">In no store yet: the ids, the workspace and the host user that the session will have.</param>
/// <param name="Signature">What it was started with: only a session with the same may have it.</param>
/// <param name="Sandbox">Its processes.</param>
internal sealed record WarmSandbox(SessionRecord Session, string Signature, SessionSandbox Sandbox);
