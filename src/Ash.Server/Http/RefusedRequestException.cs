namespace Ash.Server.Http;

/// <summary>A request cannot be served, as is found while its body is read; the client gets the problem.</summary>
internal sealed class RefusedRequestException : Exception
{
    public RefusedRequestException()
        : this(Problems.Invalid("The request cannot be served"))
    {
    }

    public RefusedRequestException(string message)
        : this(Problems.Invalid(message))
    {
    }

    public RefusedRequestException(string message, Exception innerException)
        : base(message, innerException) => Problem = Problems.Invalid(message);

    public RefusedRequestException(Problem problem)
        : base(problem.Message) => Problem = problem;

    public Problem Problem { get; }
}
