using Ash.Protocol.Api;
using Ash.Server.Configuration;
using Microsoft.AspNetCore.Diagnostics;
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
        services.AddOpenApi("v1", options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info.Title = "Ash API";
                document.Info.Description = "REST API for deploying and orchestrating hosted AI agents";
                document.Info.Version = ServerVersion.Text;
                document.Components ??= new OpenApiComponents();
                document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
                document.Components.SecuritySchemes["apiKey"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" };
                document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("apiKey", document)] = [] }];
                return Task.CompletedTask;
            });
        });
        return services;
    }

    public static void UseApi(this WebApplication app)
    {
        app.UseExceptionHandler(static _ => { });
        app.Use(static async (context, next) =>
        {
            context.Response.Headers["X-Request-Id"] = context.TraceIdentifier;
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 404 or 405, ContentLength: null, ContentType: null })
            {
                var problem = context.Response.StatusCode == 404 ? Problems.NotFound : Problems.MethodNotAllowed(context.Request.Method);
                await problem.WriteAsync(context);
            }
        });
    }

    public static void MapDocs(this WebApplication app)
    {
        app.MapOpenApi("/docs/json").WithName("v1");
        app.MapScalarApiReference("/docs", options => options.WithTitle("Ash API").WithOpenApiRoutePattern("/docs/json"));
    }

    /// <summary>A failure that nobody expected is logged, and the client gets its id and nothing else.</summary>
    private sealed partial class UnexpectedFailureHandler(ILogger<UnexpectedFailureHandler> logger) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            if (exception is BadHttpRequestException bad)
            {
                var problem = bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? Problems.TooLarge("Request body is too large")
                    : Problems.Invalid(bad.Message);
                await problem.WriteAsync(httpContext);
                return true;
            }

            LogUnexpected(exception, httpContext.TraceIdentifier);
            await Problems.Internal.WriteAsync(httpContext);
            return true;
        }

        [LoggerMessage(LogLevel.Error, "Request {RequestId} failed unexpectedly")]
        private partial void LogUnexpected(Exception failure, string requestId);
    }
}
