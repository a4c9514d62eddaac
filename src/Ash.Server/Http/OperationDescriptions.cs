using System.Net.Mime;
using Microsoft.OpenApi;

namespace Ash.Server.Http;

/// <summary>What the API's description says of an operation beyond what its handler shows.</summary>
internal static class OperationDescriptions
{
    public static RouteHandlerBuilder WithBody(this RouteHandlerBuilder route, string text) => route.Describe(operation =>
        operation.RequestBody?.Description = text);

    /// <summary>Describes a parameter of the handler.</summary>
    public static RouteHandlerBuilder WithParameter(this RouteHandlerBuilder route, string name, string text) => route.Describe(operation =>
        operation.Parameters?.FirstOrDefault(parameter => parameter.Name == name)?.Description = text);

    /// <summary>Adds what <see cref="ListPage"/> reads.</summary>
    public static RouteHandlerBuilder WithPages(this RouteHandlerBuilder route) => route.Describe(operation =>
    {
        AddQuery(operation, "limit", "1 to 1000; all of them where absent.");
        AddQuery(operation, "offset", "How many of the first to leave out; 0 where absent.");
        AddQuery(operation, "includeTotal", "true adds how many there are without limit and offset.");
    });

    /// <summary>Adds a header that the handler reads by itself.</summary>
    public static RouteHandlerBuilder WithHeader(this RouteHandlerBuilder route, string name, string text) => route.Describe(operation =>
        (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = name,
            In = ParameterLocation.Header,
            Description = text,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        }));

    /// <summary>Says that the request may be meant for one state of its thing alone.</summary>
    public static RouteHandlerBuilder WithIfMatch(this RouteHandlerBuilder route) =>
        route.WithHeader("If-Match", "The ETag of the state that is meant; where it is another by now, nothing is done and 412 says so.");

    /// <summary>Says that success may be a file's bytes, all or those of a range, with the file's own type.</summary>
    public static RouteHandlerBuilder ProducesFile(this RouteHandlerBuilder route) => route
        .WithHeader("Range", "One range of a file's bytes.")
        .WithMetadata(new RawBytesMetadata())
        .Describe(operation =>
        {
            operation.Responses ??= [];
            foreach (var (status, description) in new[] { ("200", "OK"), ("206", "Partial Content") })
            {
                if (!operation.Responses.TryGetValue(status, out var success))
                {
                    operation.Responses[status] = success = new OpenApiResponse { Description = description };
                }

                ((OpenApiResponse)success).Content ??= new Dictionary<string, OpenApiMediaType>();
                success.Content!["*/*"] = new OpenApiMediaType { Schema = new OpenApiSchema { Description = "The bytes." } };
            }
        });

    /// <summary>Says that success is a gzipped tar archive.</summary>
    public static RouteHandlerBuilder ProducesArchive(this RouteHandlerBuilder route) => route.Describe(operation =>
    {
        operation.Responses ??= [];
        operation.Responses["200"] = new OpenApiResponse
        {
            Description = "OK",
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [MediaTypeNames.Application.GZip] = new() { Schema = new OpenApiSchema { Description = "A tar.gz archive." } },
            },
        };
    });

    /// <summary>Says that success is a stream of events, beside whatever else it may be.</summary>
    public static RouteHandlerBuilder ProducesEvents(this RouteHandlerBuilder route, string text) => route.Describe(operation =>
    {
        operation.Responses ??= [];
        if (operation.Responses.GetValueOrDefault("200") is not OpenApiResponse success)
        {
            operation.Responses["200"] = success = new OpenApiResponse { Description = "OK" };
        }

        success.Content ??= new Dictionary<string, OpenApiMediaType>();
        success.Content["text/event-stream"] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = text },
        };
    });

    private static void AddQuery(OpenApiOperation operation, string name, string text) => (operation.Parameters ??= []).Add(new OpenApiParameter
    {
        Name = name,
        In = ParameterLocation.Query,
        Description = text,
    });

    private static RouteHandlerBuilder Describe(this RouteHandlerBuilder route, Action<OpenApiOperation> describe) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            describe(operation);
            return Task.CompletedTask;
        });
}
