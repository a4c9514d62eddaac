using Ash.Server.Credentials;

namespace Ash.Server.Broker;

/// <summary>Whether a sandbox may call the model.</summary>
internal abstract record ModelCallVerdict
{
    private ModelCallVerdict()
    {
    }

    /// <summary>It may.</summary>
    /// <param name="Handle">Comes back in <see cref="ModelCall.Handle"/>. Its text is logged: ids only.</param>
    /// <param name="ModelKey">Sent to the model in the place of the server's own key; null for that.</param>
    public sealed record Allowed(object Handle, Secret? ModelKey = null) : ModelCallVerdict;

    /// <summary>It may not: 403, which the CLI does not repeat.</summary>
    /// <param name="Code">A stable word for programs.</param>
    /// <param name="Message">A sentence for the user, who sees it as the turn's error.</param>
    public sealed record Refused(string Code, string Message) : ModelCallVerdict;
}
