using Ash.Server.Http;

namespace Ash.Server.Access;

/// <summary>Nothing below <c>/api</c> answers without a key (contract 8.2), or to more than the key allows.</summary>
internal sealed class KeyCheck(RequestDelegate next, ApiKeys keys, InternalSecret secret, FailedKeys failures, RateLimits limits)
{
    public Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        return !path.StartsWithSegments("/api") ? next(context)
            : path.StartsWithSegments("/api/internal") ? AnswerAsync(context, CheckSecret(context))
            : AnswerWithKeyAsync(context);
    }

    private async Task AnswerWithKeyAsync(HttpContext context)
    {
        var problem = CheckKey(context, out var key);

        // A stream goes on for hours: it ends with the key that opened it.
        using var ending = key?.Over.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context); // Given here.
        await AnswerAsync(context, problem);
    }

    private Task AnswerAsync(HttpContext context, Problem? problem)
    {
        if (problem is null)
        {
            return next(context);
        }

        if (problem.Status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return problem.WriteAsync(context);
    }

    private Problem? CheckKey(HttpContext context, out ActiveKey? key)
    {
        key = null;
        if (ReadBearer(context, out var refusal) is not { } text)
        {
            return refusal;
        }

        var address = FailedKeys.AddressOf(context);
        key = keys.Find(text);

        // Whoever guesses from an address does not lock out who works from there: behind a proxy, all share one.
        if (failures.WaitOf(address) is { } wait && key?.WasUsedFrom(address) != true)
        {
            return Problems.TooManyWrongKeys(wait);
        }

        if (key is null)
        {
            failures.Count(address);
            return Problems.Unauthorized("Invalid API key");
        }

        key.UseFrom(address);
        keys.Use(key);
        context.Features.Set(key.Caller);
        if (limits.Count(context, key.Caller) is { } limited)
        {
            return limited;
        }

        var needed = RequiredScope.Of(context);
        return key.Caller.Scope < needed ? Problems.Forbidden(needed, key.Caller.Scope) : null;
    }

    private Problem? CheckSecret(HttpContext context)
    {
        if (!secret.IsSet)
        {
            return Problems.InternalDisabled;
        }

        var address = FailedKeys.AddressOf(context);
        if (failures.WaitOf(address) is { } wait)
        {
            return Problems.TooManyWrongKeys(wait);
        }

        if (ReadBearer(context, out _) is not { } text)
        {
            return Problems.WrongInternalSecret;
        }

        if (secret.Is(text))
        {
            return null;
        }

        failures.Count(address);
        return Problems.WrongInternalSecret;
    }

    private static string? ReadBearer(HttpContext context, out Problem? refusal)
    {
        var header = context.Request.Headers.Authorization.ToString();
        var bearer = header.Split(' ') is ["Bearer", { Length: > 0 } text] ? text : null;
        refusal = bearer is not null ? null
            : header.Length == 0 ? Problems.Unauthorized("Missing Authorization header")
            : Problems.Unauthorized("Invalid Authorization header format");
        return bearer;
    }
}
