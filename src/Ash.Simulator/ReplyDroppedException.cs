namespace Ash.Simulator;

/// <summary>Ends a reply in mid-stream.</summary>
/// <remarks>
/// Thrown out of the handler on purpose: the server then closes the connection after it has sent what was written, while
/// <c>HttpContext.Abort</c> may throw the last pieces away, and a script counts them.
/// </remarks>
internal sealed class ReplyDroppedException() : IOException("The script drops the connection here.");
