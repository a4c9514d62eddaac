using Ash.Server.Access;

namespace Ash.Server.Http;

/// <summary>What keys, limits and credentials refuse.</summary>
internal static partial class Problems
{
    public static readonly Problem UnknownApiKey = new(404, "api_key_not_found", "API key not found");

    public static readonly Problem LastAdminKey = new(
        409,
        "last_admin_key",
        "This is the last key with the scope admin, and without it nobody could make another; "
            + "make one first, or start the server with ASH_API_KEY");

    public static readonly Problem InternalDisabled = new(
        503, "internal_disabled", "Internal endpoints disabled — ASH_INTERNAL_SECRET is required in production")
    {
        Passes = false,
    };

    public static readonly Problem WrongInternalSecret = new(
        401, "unauthorized", "Unauthorized — invalid or missing internal secret");

    public static readonly Problem UnknownCredential = new(404, "credential_not_found", "Credential not found");

    public static readonly Problem InvalidCredential = new(400, "invalid_credential", "Invalid or inaccessible credential");

    public static readonly Problem CredentialStaysOutside = new(
        400,
        "credential_stays_outside",
        "A credential of type anthropic is used outside the sandbox and never enters it; "
            + "send the request without exposeCredential");

    public static Problem Forbidden(AccessScope needed, AccessScope callers) => new(
        403, "forbidden", $"This needs a key with the scope {Scopes.NameOf(needed)}; this key's is {Scopes.NameOf(callers)}");

    /// <summary>In the contract's words (3.0.1): the reason is in <c>message</c>.</summary>
    public static Problem RateLimited(TimeSpan wait) => TooManyRequests(
        "rate_limited", $"Rate limit exceeded, retry in {InWords(wait)}", wait);

    public static Problem TooManyWrongKeys(TimeSpan wait) => TooManyRequests(
        "too_many_wrong_keys", $"Too many wrong keys came from this address, retry in {InWords(wait)}", wait);

    public static Problem CredentialNeedsExposing(string type) => new(
        400,
        "credential_not_exposed",
        $"A credential of type {type} can only be a variable of the sandbox's environment, where the agent can read it; "
            + "send \"exposeCredential\": true with the request if it may");

    private static Problem TooManyRequests(string code, string message, TimeSpan wait) => new(
        429, code, "Too Many Requests")
    {
        Detail = message,
        RetryAfterSeconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)),
    };

    private static string InWords(TimeSpan wait)
    {
        var (count, unit) = wait switch
        {
            { TotalHours: >= 1 } => (Math.Round(wait.TotalHours), "hour"),
            { TotalMinutes: >= 1 } => (Math.Round(wait.TotalMinutes), "minute"),
            _ => (Math.Max(1, Math.Ceiling(wait.TotalSeconds)), "second"),
        };
        return $"{count:0} {unit}{(count > 1 ? "s" : "")}";
    }
}
