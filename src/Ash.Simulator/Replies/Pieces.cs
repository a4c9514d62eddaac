namespace Ash.Simulator.Replies;

/// <summary>Cuts a text as a stream brings it.</summary>
internal static class Pieces
{
    /// <summary>Pieces of <paramref name="length"/> characters, none of which ends inside a surrogate pair; 0 for one piece.</summary>
    /// <returns>At least one piece, even of an empty text.</returns>
    public static IEnumerable<string> Of(string text, int length)
    {
        if (length <= 0 || length >= text.Length)
        {
            yield return text;
            yield break;
        }

        for (var start = 0; start < text.Length;)
        {
            var end = Math.Min(start + length, text.Length);

            if (end < text.Length && char.IsHighSurrogate(text[end - 1]) && char.IsLowSurrogate(text[end]))
            {
                end++;
            }

            yield return text[start..end];
            start = end;
        }
    }
}
