using System.Data.Common;
using System.Globalization;
using Ash.Protocol.Api;
using Ash.Server.Credentials;
using Ash.Server.Http.Description;
using Ash.Server.Storage;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Ash.Server.Http;

/// <summary>What all routes share: request ids, one shape of errors, the API's description.</summary>
internal static partial class HttpFeature
{
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
        services.AddExceptionHandler<UnexpectedFailureHandler>();
        services.AddApiDescription();
        return services;
    }

    public static void UseApi(this WebApplication app)
    {
        app.UseExceptionHandler(static _ => { });
        app.Use(static async (context, next) =>
        {
            context.Response.Headers["X-Request-Id"] = context.TraceIdentifier;
            await next(context);
            if (context.Response is { HasStarted: false, ContentLength: null, ContentType: null } && Explain(context) is { } problem)
            {
                await problem.WriteAsync(context);
            }
        });
        app.UseHead();
    }

    /// <summary>HEAD is answered wherever GET is. The server itself leaves the body out.</summary>
    private static void UseHead(this WebApplication app)
    {
        var isHead = new object();
        app.Use((context, next) =>
        {
            if (HttpMethods.IsHead(context.Request.Method))
            {
                context.Items[isHead] = true;
                context.Request.Method = HttpMethods.Get;
            }

            return next(context);
        });
        app.UseRouting();
        app.Use((context, next) =>
        {
            if (context.Items.ContainsKey(isHead))
            {
                context.Request.Method = HttpMethods.Head;
            }

            return next(context);
        });
    }

    /// <summary>What routing refuses without a word.</summary>
    private static Problem? Explain(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => Problems.NotFound,
        StatusCodes.Status405MethodNotAllowed => Problems.MethodNotAllowed(context.Request.Method),
        StatusCodes.Status415UnsupportedMediaType => Problems.UnsupportedMediaType(context.Request.ContentType),
        _ => null,
    };

    public static void MapDocs(this WebApplication app)
    {
        app.MapOpenApi("/docs/json").WithName(ApiDescription.Document);
        app.MapGet("/docs/yaml", WriteYamlAsync).ExcludeFromDescription();

        // Nothing of the page is fetched from elsewhere: it works where there is no internet, and tells nobody who reads it.
        app.MapScalarApiReference("/docs", options => options
            .WithTitle("Ash API")
            .WithOpenApiRoutePattern("/docs/json")
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .HideDeveloperTools());
    }

    private static async Task<IResult> WriteYamlAsync(
        [FromKeyedServices(ApiDescription.Document)] IOpenApiDocumentProvider documents, CancellationToken cancellationToken)
    {
        var document = await documents.GetOpenApiDocumentAsync(cancellationToken);
        await using var text = new StringWriter(CultureInfo.InvariantCulture);
        document.SerializeAsV31(new OpenApiYamlWriter(text));
        return Results.Text(text.ToString(), "application/yaml; charset=utf-8");
    }

    /// <summary>A failure that nobody expected is logged, and the client gets its id and nothing else.</summary>
    private sealed partial class UnexpectedFailureHandler(ILogger<UnexpectedFailureHandler> logger) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            // All headers that were set are gone.
            httpContext.Response.Headers["X-Request-Id"] = httpContext.TraceIdentifier;
            if (exception is BadHttpRequestException bad)
            {
                var problem = bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? Problems.TooLarge("Request body is too large")
                    : Problems.Invalid(bad.Message);
                await problem.WriteAsync(httpContext);
                return true;
            }

            if (exception is RefusedRequestException refused)
            {
                await refused.Problem.WriteAsync(httpContext);
                return true;
            }

            if (exception is SealedTextException closed)
            {
                LogCannotOpen(closed, httpContext.TraceIdentifier);
                await Problems.CannotOpen(closed.Message).WriteAsync(httpContext);
                return true;
            }

            if (exception is StoreException or DbException)
            {
                LogStoreFailed(exception, httpContext.TraceIdentifier);
                await Problems.StoreUnavailable.WriteAsync(httpContext);
                return true;
            }

            LogUnexpected(exception, httpContext.TraceIdentifier);
            await Problems.Internal.WriteAsync(httpContext);
            return true;
        }

        [LoggerMessage(LogLevel.Error, "The store failed request {RequestId}; is the disk full, or the database away?")]
        private partial void LogStoreFailed(Exception failure, string requestId);

        [LoggerMessage(LogLevel.Error, "Request {RequestId} needs what cannot be opened")]
        private partial void LogCannotOpen(Exception failure, string requestId);

        [LoggerMessage(LogLevel.Error, "Request {RequestId} failed unexpectedly")]
        private partial void LogUnexpected(Exception failure, string requestId);
    }
}
