using Ash.Server.Configuration;
using Microsoft.OpenApi;

namespace Ash.Server.Http.Description;

/// <summary>The API's description, OpenAPI 3.1: made from the routes and the types, and completed here.</summary>
internal static class ApiDescription
{
    /// <summary>Its name among the services.</summary>
    public const string Document = "v1";

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi(Document, options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            Introduce(document);
            Complete(document);
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            TakeStringsFromNumbers(schema);
            SchemaDetails.Complete(schema, context.JsonTypeInfo.Type);
            return Task.CompletedTask;
        });
    });

    private static void Introduce(OpenApiDocument document)
    {
        document.Info.Title = "Ash API";
        document.Info.Description = "REST API for deploying and orchestrating hosted AI agents";
        document.Info.Version = ServerVersion.Text;

        // Where it was asked for, which says nothing of where others find it.
        document.Servers = [new OpenApiServer { Url = "http://localhost:4100" }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes["apiKey"] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "An API key: Authorization: Bearer ash_…",
        };
        document.Components.SecuritySchemes["internalSecret"] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "What the server was started with as ASH_INTERNAL_SECRET.",
        };
    }

    private static void Complete(OpenApiDocument document)
    {
        foreach (var (path, item) in document.Paths)
        {
            foreach (var (method, operation) in item.Operations ?? [])
            {
                if (path.StartsWith("/api/", StringComparison.Ordinal))
                {
                    var scheme = path.StartsWith("/api/internal/", StringComparison.Ordinal) ? "internalSecret" : "apiKey";
                    operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(scheme, document)] = [] }];
                }

                ParameterDetails.Complete(path, operation);
                ErrorExamples.AddTo(path, method, operation);
                BodyExamples.AddTo(operation);
                Sort(operation);
            }
        }
    }

    /// <summary>In the order of their numbers, whatever the order of their declaration.</summary>
    private static void Sort(OpenApiOperation operation)
    {
        var sorted = operation.Responses!.OrderBy(response => response.Key, StringComparer.Ordinal).ToList(); // Each has some.
        operation.Responses!.Clear();
        foreach (var (status, response) in sorted)
        {
            operation.Responses.Add(status, response);
        }
    }

    /// <summary>Numbers are read from strings too, as they always were; what is sent, and should be, is a number.</summary>
    private static void TakeStringsFromNumbers(OpenApiSchema schema)
    {
        if (schema.Type is { } type && type.HasFlag(JsonSchemaType.String) && (type & (JsonSchemaType.Integer | JsonSchemaType.Number)) != 0)
        {
            schema.Type = type & ~JsonSchemaType.String;
            schema.Pattern = null;
        }
    }
}
