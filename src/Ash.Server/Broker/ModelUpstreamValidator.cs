using Microsoft.Extensions.Options;

namespace Ash.Server.Broker;

/// <summary>Refuses a key or an address that could only fail at the first call. What it says never contains the key.</summary>
internal sealed class ModelUpstreamValidator : IValidateOptions<ModelUpstream>
{
    public ValidateOptionsResult Validate(string? name, ModelUpstream options)
    {
        var failures = new List<string>();

        if (!Uri.TryCreate(options.BaseUrl, UriKind.Absolute, out var address)
            || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
            || address.Query.Length > 0
            || address.Fragment.Length > 0
            || address.UserInfo.Length > 0)
        {
            failures.Add("ASH_MODEL_BASE_URL must be an http or https address without user, query or fragment.");
        }

        // HttpClient names a header's value in what it throws for a bad one.
        if (options.ApiKey is { } key && (key.Length == 0 || key.AsSpan().ContainsAnyExceptInRange('!', '~')))
        {
            failures.Add("ANTHROPIC_API_KEY contains a blank, a line break or a character outside ASCII.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
