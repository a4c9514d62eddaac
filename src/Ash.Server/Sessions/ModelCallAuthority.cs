using System.Numerics;
using System.Security.Cryptography;
using Ash.Server.Broker;
using Ash.Server.Credentials;
using Ash.Server.Telemetry;

namespace Ash.Server.Sessions;

/// <summary>Only the running turn of a session's current sandbox may call the model.</summary>
/// <remarks>Every process inside can reach the socket and read the token, so what is judged is the call, not who sends it.</remarks>
internal sealed partial class ModelCallAuthority(
    SandboxDirectory sandboxes, SessionCredentials credentials, ServerMetrics metrics, ILogger<ModelCallAuthority> logger) : IModelCallAuthority
{
    private static readonly ModelCallVerdict.Refused WrongToken = new(
        "wrong_token", "This token is not the sandbox's own.");

    private static readonly ModelCallVerdict.Refused NoTurn = new(
        "no_turn", "No turn is running in this session; the model answers within turns only.");

    private static readonly ModelCallVerdict.Refused NoCredential = new(
        TurnOutcome.CredentialUnavailable,
        "The session's credential was deleted, or cannot be read any more; create a session with another credential.");

    public async ValueTask<ModelCallVerdict> AuthorizeAsync(
        string sandboxId, ReadOnlyMemory<byte> tokenHash, CancellationToken cancellationToken)
    {
        if (!sandboxes.TryFind(sandboxId, out var sandbox, out var session))
        {
            return WrongToken;
        }

        if (!CryptographicOperations.FixedTimeEquals(tokenHash.Span, sandbox.TokenHash))
        {
            return Refuse(sandbox, WrongToken);
        }

        // The server's own key is no substitute: who brought a key wants that one charged.
        Secret? modelKey = null;
        if (session.Record is { CredentialId: { } credential, ExposesCredential: false })
        {
            modelKey = await credentials.FindModelKeyAsync(session.TenantId, credential, cancellationToken);
            if (modelKey is null)
            {
                return Refuse(sandbox, NoCredential);
            }
        }

        if (await session.ModelCallAsync(sandbox) is not { } turn)
        {
            return Refuse(sandbox, NoTurn);
        }

        return new ModelCallVerdict.Allowed(turn, modelKey);
    }

    public void Record(ModelCall call)
    {
        metrics.ModelCalled(call);
        ((Turn)call.Handle).Telemetry?.Called(call); // It was allowed with one.
        LogCall(
            call.SandboxId, call.Handle, call.Model, call.InputTokens, call.OutputTokens, call.Status, call.Attempts, call.Duration.TotalMilliseconds);
    }

    /// <remarks>A sandbox may ask hundreds of times a minute: the log names the first, and then only how the number grows.</remarks>
    private ModelCallVerdict.Refused Refuse(SessionSandbox sandbox, ModelCallVerdict.Refused verdict)
    {
        metrics.CallRefused(verdict.Code);
        var refused = sandbox.CountRefusedCall();
        if (BitOperations.IsPow2(refused))
        {
            LogRefused(sandbox.Id, verdict.Code, refused);
        }

        return verdict;
    }

    [LoggerMessage(LogLevel.Warning, "Refused a model call of sandbox {SandboxId}: {Code} (refused so far: {Refused})")]
    private partial void LogRefused(string sandboxId, string code, int refused);

    [LoggerMessage(
        LogLevel.Debug,
        "Model call of sandbox {SandboxId}, turn {TurnId}: {Model}, {InputTokens} in, {OutputTokens} out, status {Status}, {Attempts} attempts, {Milliseconds} ms")]
    private partial void LogCall(
        string sandboxId, object turnId, string? model, long inputTokens, long outputTokens, int status, int attempts, double milliseconds);
}
