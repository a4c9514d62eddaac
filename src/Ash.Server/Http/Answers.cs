using Ash.Protocol.Api;

namespace Ash.Server.Http;

internal static class Answers
{
    /// <summary>That something is done, where there is nothing left to show. Clients of the reference fail on an answer without a body.</summary>
    public static IResult Ok() => Results.Json(new OkEnvelope(true), ApiJson.Default.OkEnvelope);
}
