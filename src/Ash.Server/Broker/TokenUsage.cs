using System.Text.Json;

namespace Ash.Server.Broker;

/// <summary>What a call used, in the model's own count.</summary>
internal sealed class TokenUsage
{
    public string? Model { get; private set; }

    public long InputTokens { get; private set; }

    public long OutputTokens { get; private set; }

    public long CacheCreationTokens { get; private set; }

    public long CacheReadTokens { get; private set; }

    /// <summary>Takes a JSON string; anything else is ignored.</summary>
    public void ReadModel(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);

            if (reader.Read() && reader.TokenType is JsonTokenType.String)
            {
                Model = reader.GetString();
            }
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // A gateway's mistake costs its own figures, never the reply.
        }
    }

    /// <summary>Takes a <c>usage</c> object. Its counts are totals so far, so of two the larger is right.</summary>
    public void Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();

            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                ReadProperty(ref reader);
            }
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // As above.
        }
    }

    private void ReadProperty(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("input_tokens"u8))
        {
            InputTokens = Math.Max(InputTokens, Count(ref reader));
        }
        else if (reader.ValueTextEquals("output_tokens"u8))
        {
            OutputTokens = Math.Max(OutputTokens, Count(ref reader));
        }
        else if (reader.ValueTextEquals("cache_creation_input_tokens"u8))
        {
            CacheCreationTokens = Math.Max(CacheCreationTokens, Count(ref reader));
        }
        else if (reader.ValueTextEquals("cache_read_input_tokens"u8))
        {
            CacheReadTokens = Math.Max(CacheReadTokens, Count(ref reader));
        }
        else
        {
            reader.Read();
            reader.Skip();
        }
    }

    private static long Count(ref Utf8JsonReader reader)
    {
        reader.Read();

        if (reader.TokenType is JsonTokenType.Number && reader.TryGetInt64(out var count))
        {
            return count;
        }

        reader.Skip();
        return 0;
    }
}
