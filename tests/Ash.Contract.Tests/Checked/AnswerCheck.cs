using System.Text.Json;

namespace Ash.Contract.Tests.Checked;

/// <summary>Whether an answer is one that the description of its operation has: status, media type, form, code of an error.</summary>
public static class AnswerCheck
{
    private const int Head = 300;

    /// <summary>What is wrong with it; null where nothing is.</summary>
    public static string? Find(ApiDescription description, string method, string path, Answer answer)
    {
        if (answer.RequestId is null)
        {
            return "has no X-Request-Id";
        }

        if (method == "HEAD")
        {
            return answer.Bytes.Length == 0 ? null : "has a body";
        }

        if (description.Find(method, path) is not { } operation)
        {
            return FindInError(description, answer);
        }

        if (operation.Answer(answer.Status) is not { } described)
        {
            return $"has status {answer.Status}, which {operation} has not in its description: {Shorten(answer.Text)}";
        }

        if (!described.TryGetProperty("content", out var content))
        {
            return answer.Bytes.Length == 0 ? null : $"has a body, and should have none: {Shorten(answer.Text)}";
        }

        if (!content.TryGetProperty(answer.MediaType ?? "", out _) && !content.TryGetProperty("*/*", out _))
        {
            return $"is {answer.MediaType}, and should be {string.Join(" or ", content.EnumerateObject().Select(type => type.Name))}";
        }

        return answer.MediaType switch
        {
            // The bytes of a file may call themselves JSON and be none.
            "application/json" when answer.Status < 400 && content.TryGetProperty("*/*", out _) => null,
            "application/json" when content.TryGetProperty("application/json", out _) => FindInJson(description, operation, answer),
            "text/event-stream" => Frame.FindMistake(answer.Text),
            _ => null,
        };
    }

    private static string? FindInJson(ApiDescription description, Operation operation, Answer answer)
    {
        if (answer.Status >= 400 && operation.Codes(answer.Status) is { Count: > 0 } codes)
        {
            return FindInError(description, answer)
                ?? (codes.Contains(answer.Code) ? null : $"has code {answer.Code}, which {operation} has not in its description for {answer.Status}");
        }

        return FindInForm(description, operation.PlaceOf("responses", $"{answer.Status}", "content", "application/json", "schema"), answer);
    }

    /// <summary>Errors have one form, wherever they come from.</summary>
    private static string? FindInError(ApiDescription description, Answer answer)
    {
        if (answer.Status < 400 || answer.MediaType != "application/json")
        {
            return $"is {answer.Status} {answer.MediaType} at an address that is not described";
        }

        return FindInForm(description, "/components/schemas/ApiError", answer) is { } mistake ? mistake
            : answer.Json.GetProperty("statusCode").GetInt32() != answer.Status ? $"says another status than {answer.Status}: {Shorten(answer.Text)}"
            : answer.Json.GetProperty("requestId").GetString() != answer.RequestId ? $"says another request id than its header: {Shorten(answer.Text)}"
            : string.IsNullOrEmpty(answer.Code) ? $"has no code: {Shorten(answer.Text)}"
            : null;
    }

    private static string? FindInForm(ApiDescription description, string schema, Answer answer)
    {
        try
        {
            var violations = description.Violations(answer.Json, schema);
            return violations.Count == 0 ? null : $"{string.Join("; ", violations)}: {Shorten(answer.Text)}";
        }
        catch (JsonException)
        {
            return $"is no JSON: {Shorten(answer.Text)}";
        }
    }

    private static string Shorten(string text) => text.Length > Head ? text[..Head] + " …" : text;
}
