namespace Ash.Cli.Output;

/// <summary>A column of a <see cref="Table{T}"/>.</summary>
/// <param name="Header">In capitals.</param>
/// <param name="Text">Of an item; is made harmless before it is shown.</param>
/// <param name="Right">Whether it is a number, which stands on the right.</param>
/// <param name="Colour">Of an item; null for that of other text.</param>
internal sealed record Column<T>(string Header, Func<T, string> Text, bool Right = false, Func<T, Colour?>? Colour = null);
